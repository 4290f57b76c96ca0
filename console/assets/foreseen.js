// Shows what would be true while it is written: the form is sent as its own button "Preview" sends it, and of the page
// that comes back the one section is taken. Without this script the button does the same.
"use strict";

const PAUSE_MILLISECONDS = 800;

for (const form of document.querySelectorAll("form[data-live]")) {
  const place = form.dataset.live;
  const told = document.getElementById(`${place}-said`);
  let waiting = 0;
  let asked = 0;

  const look = async () => {
    const own = ++asked;
    const said = new FormData(form);
    said.set("do", "preview");
    try {
      const answer = await fetch(form.action, { method: "POST", body: said, redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const shown = page.getElementById(place);
      if (own !== asked) return;
      if (!shown) throw new Error("no preview");
      document.getElementById(place).replaceWith(document.adoptNode(shown));
      told.textContent = "The preview is of what stands in the fields.";
    } catch {
      told.textContent = "The preview could not be had. The button asks for it again.";
    }
  };

  form.addEventListener("input", () => {
    told.textContent = "";
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE_MILLISECONDS);
  });
}
