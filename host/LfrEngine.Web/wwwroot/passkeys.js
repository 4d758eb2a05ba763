// Passkeys (WebAuthn): the browser's part. Buttons with data-passkey="create" or "get" put the answer into the form's hidden field and send the form.

async function ask(address, form, token) {
    const answer = await fetch(address, { method: "POST", body: form, headers: token ? { [token.header]: token.token } : {} });
    if (!answer.ok)
        throw new Error((await answer.json().catch(() => null))?.detail ?? answer.statusText);
    return answer.status === 204 ? null : await answer.json();
}

async function create(form) {
    const options = await ask("account/passkey/creation-options", new FormData(form));
    return await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

async function get(form, token) {
    const options = await ask("account/passkey/request-options", form, token);
    return await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

// Asks the signed-in officer for their passkey. Returns null on success, otherwise the reason.
export async function prove() {
    try {
        const token = await (await fetch("account/antiforgery")).json();
        const form = new FormData();
        form.set("credential", JSON.stringify(await get(new FormData(), token)));
        await ask("account/passkey/proof", form, token);
        return null;
    } catch (error) {
        return error.message;
    }
}

document.addEventListener("click", async event => {
    const button = event.target instanceof Element ? event.target.closest("[data-passkey]") : null;
    if (!button)
        return;
    const form = button.closest("form");
    const said = form.querySelector("[data-passkey-said]");
    said.textContent = "";
    button.disabled = true;
    try {
        const credential = button.dataset.passkey === "create" ? await create(form) : await get(new FormData(form));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
    } catch (error) {
        // The browser's messages about a cancelled or unknown passkey are meant for developers.
        said.textContent = error instanceof DOMException ? button.dataset.passkeyFailed : error.message;
        button.disabled = false;
    }
});

// An invitation: its secret leaves the address bar, and goes to the server in a form.
const invitation = document.querySelector("form[data-open-invitation]");
if (invitation) {
    const secret = new URLSearchParams(location.hash.slice(1)).get("secret");
    if (secret) {
        history.replaceState(null, "", location.pathname);
        invitation.elements.secret.value = secret;
        invitation.submit();
    } else {
        invitation.querySelector("[data-opening]").hidden = true;
        invitation.querySelector("[data-no-secret]").hidden = false;
    }
}
