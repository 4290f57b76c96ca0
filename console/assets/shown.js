// A file that is sent shows how far it is; what the page says of it then takes the place of the form, without another request.
"use strict";

for (const form of document.querySelectorAll("form[data-shows]")) {
  const bar = form.querySelector("progress");
  const said = form.querySelector("[role=status]");
  const button = form.querySelector("button");
  const failed = (words) => {
    said.textContent = words;
    bar.hidden = true;
    button.disabled = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const sending = new XMLHttpRequest();
    bar.hidden = said.hidden = false;
    button.disabled = true;
    said.textContent = "Sending …";
    sending.upload.addEventListener("progress", (step) => { if (step.lengthComputable) bar.value = step.loaded / step.total; });
    sending.upload.addEventListener("load", () => {
      said.textContent = "It has arrived, and is being looked at line by line …";
      bar.removeAttribute("value");
    });
    sending.addEventListener("load", () => {
      const page = new DOMParser().parseFromString(sending.responseText, "text/html").querySelector("main");
      if (!page) { failed("It was not answered. Send it again."); return; }
      document.querySelector("main").replaceWith(document.adoptNode(page));
      document.getElementById("main").focus();
      scrollTo(0, 0);
    });
    sending.addEventListener("error", () => failed("The connection broke. Send it again."));
    sending.open("POST", form.action);
    sending.send(new FormData(form));
  });
}
