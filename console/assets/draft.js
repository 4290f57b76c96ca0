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
// DER: in the outermost SEQUENCE a request begins with another one, and every private key and PKCS#12 with its version.
const isPrivate = (octets) => {
  if (octets[0] !== 0x30) return false;
  const long = octets[1] & 0x80 ? octets[1] & 0x7f : 0;
  return octets[2 + long] === 0x02;
};
const told = document.getElementById("private");
if (told) {
  const typed = document.getElementById("csr");
  const chosen = document.getElementById("csr_file");
  const judge = (text, octets = []) => {
    // Somebody's tool may have written it in UTF-16: then each character has a NUL beside it.
    told.hidden = !(PRIVATE.test(text.replace(/[\u0000\ufffd]/g, "")) || isPrivate(octets));
    return told.hidden;
  };
  typed.addEventListener("input", () => { if (!judge(typed.value)) typed.value = ""; });
  // A file is looked into after it is chosen; whoever is faster with the button waits for that.
  let looking = Promise.resolve();
  typed.form.addEventListener("submit", (event) => {
    if (typed.form.dataset.looked === "yes") return;
    event.preventDefault();
    const by = event.submitter;
    const before = told.hidden;
    // Not before this event is over: a form that is being submitted does not hear that it is to be (HTML, 4.10.22.3).
    looking.then(() => setTimeout(() => {
      if (before && !told.hidden) return; // it has just been noticed, and is out of the form
      typed.form.dataset.looked = "yes";
      typed.form.requestSubmit(by);
    }));
  });
  chosen.addEventListener("change", () => { looking = look(); });
  const look = async () => {
    const file = chosen.files[0];
    if (!file) return;
    const text = await file.slice(0, 65536).text();
    const octets = new Uint8Array(await file.slice(0, 16).arrayBuffer());
    if (!judge(text, octets)) chosen.value = "";
    else if (text.includes("-----BEGIN")) { typed.value = text; chosen.value = ""; }
  };
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
      failed.textContent = why ? [...why.children].map((each) => each.textContent).join(" – ") : "It was not taken.";
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
