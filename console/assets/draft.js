// Helps with what is sent: a digest is worked out here, a private key is noticed before it leaves, a file shows how far it is.
"use strict";

const hex = (buffer) => Array.from(new Uint8Array(buffer), (each) => each.toString(16).padStart(2, "0")).join("");

for (const place of document.querySelectorAll("[data-hashes]")) {
  const chosen = place.querySelector("input");
  const said = place.querySelector("[role=status]");
  place.hidden = false;
  chosen.addEventListener("change", async () => {
    const file = chosen.files[0];
    if (!file) return;
    said.textContent = "Working it out …";
    try {
      document.getElementById(place.dataset.hashes).value = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      said.textContent = `The digest of ${file.name} stands above.`;
    } catch (error) {
      said.textContent = `It could not be read: ${error.message}. Type the digest.`;
    }
    chosen.value = "";
  });
}

const PRIVATE = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;
const told = document.getElementById("private");
if (told) {
  const typed = document.getElementById("csr");
  const chosen = document.getElementById("csr_file");
  const judge = (text) => {
    told.hidden = !PRIVATE.test(text);
    return told.hidden;
  };
  typed.addEventListener("input", () => { if (!judge(typed.value)) typed.value = ""; });
  chosen.addEventListener("change", async () => {
    const file = chosen.files[0];
    if (!file) return;
    const text = await file.slice(0, 65536).text();
    if (!judge(text)) chosen.value = "";
    else if (text.includes("-----BEGIN")) { typed.value = text; chosen.value = ""; }
  });
}

for (const form of document.querySelectorAll("form[data-progress]")) {
  const bar = form.querySelector("progress");
  const failed = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const sending = new XMLHttpRequest();
    bar.hidden = false;
    failed.hidden = true;
    button.disabled = true;
    sending.upload.addEventListener("progress", (step) => { if (step.lengthComputable) bar.value = step.loaded / step.total; });
    sending.addEventListener("load", () => {
      const next = sending.getResponseHeader("Location");
      if (next) { location.assign(next); return; }
      const page = new DOMParser().parseFromString(sending.responseText, "text/html");
      const why = page.querySelector(".note-alarm");
      failed.textContent = why ? why.textContent : "It was not taken.";
      failed.hidden = false;
      button.disabled = false;
    });
    sending.addEventListener("error", () => {
      failed.textContent = "The connection broke. Nothing is attached; send it again.";
      failed.hidden = false;
      button.disabled = false;
    });
    sending.open("POST", form.action);
    sending.setRequestHeader("X-Goes-On", "yes");
    sending.send(new FormData(form));
  });
}
