// A certified OpenID Connect provider (npm oidc-provider) on loopback, for tests. It signs in whom GET /next/NAME named before, with the groups given for that name:
// node provider.mjs PORT CLIENT-SECRET REDIRECT-ADDRESS GROUPS-AS-JSON
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [port, secret, redirect, groups] = process.argv.slice(2);
const groupsOf = JSON.parse(groups);
let next = "";
const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: "lfr", client_secret: secret, redirect_uris: [redirect], response_types: ["code"], grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_post" }],
    claims: { openid: ["sub", "groups"], profile: ["name", "preferred_username"] },
    pkce: { required: () => true },
    cookies: { keys: ["test"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: `subject-of-${id}`, name: `${id} Example`, preferred_username: id, groups: groupsOf[id] }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});
const answer = provider.callback();
// In place of a page where somebody types.
createServer(async (request, response) => {
    if (request.url.startsWith("/next/")) {
        next = request.url.slice("/next/".length);
        return response.end();
    }
    if (!request.url.startsWith("/interaction/"))
        return answer(request, response);
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (prompt.name === "login")
        return provider.interactionFinished(request, response, { login: { accountId: next } });
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
