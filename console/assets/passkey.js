// Asks the browser for a passkey and puts its answer into the form. Without this script the page says so.
"use strict";

const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const asked = (form) => {
  const options = JSON.parse(form.dataset.options);
  options.challenge = octets(options.challenge);
  if (options.user) options.user.id = octets(options.user.id);
  for (const list of [options.allowCredentials, options.excludeCredentials]) {
    for (const each of list || []) each.id = octets(each.id);
  }
  return { publicKey: options };
};

const said = (made) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = text(made.response[name]);
  }
  return JSON.stringify({
    id: made.id, rawId: text(made.rawId), type: made.type, response,
    authenticatorAttachment: made.authenticatorAttachment, clientExtensionResults: {},
  });
};

for (const button of document.querySelectorAll("button[data-asks]")) {
  const form = button.form;
  const failed = button.closest(".passkey").querySelector("[role=alert]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!form.reportValidity()) return;
    failed.hidden = true;
    button.disabled = true;
    try {
      const made = await navigator.credentials.get(asked({ dataset: { options: button.dataset.asks } }));
      form.elements.response.value = said(made);
      form.requestSubmit();
    } catch (error) {
      failed.textContent = `The browser gave no passkey: ${error.message}`;
      failed.hidden = false;
      button.disabled = false;
    }
  });
}

for (const form of document.querySelectorAll("form[data-options]")) {
  const button = form.querySelector("button");
  const failed = form.querySelector("[role=alert]");
  button.disabled = false;
  form.querySelector(".without").hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    button.disabled = true;
    try {
      const container = navigator.credentials;
      const made = await (form.dataset.makes ? container.create(asked(form)) : container.get(asked(form)));
      form.elements.response.value = said(made);
      form.submit();
    } catch (error) {
      failed.textContent = `The browser gave no passkey: ${error.message}`;
      failed.hidden = false;
      button.disabled = false;
    }
  });
}
