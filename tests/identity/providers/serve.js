// Two real identity providers on one free port of loopback. What a test wants of them it says by PUT /control, as JSON:
//   person {sub, email, email_verified, name, groups, amr, acr}, client {id, secret, redirect, out, ended}, rotate,
//   saml {options of samlp.auth that take the place of the right ones}.
// The port is printed when it listens; SAML_KEY and SAML_CERT name PEM files.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { inflateRawSync } from "node:zlib";
import { Provider } from "oidc-provider";

const samlp = createRequire(import.meta.url)("samlp");
const wanted = { person: null, client: null, saml: {} };
const accounts = new Map();
let keys = [];
let oidc = null;
let origin = "";

function freshKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function provider() {
  const { id, secret, redirect, out, ended } = wanted.client;
  const made = new Provider(origin, {
    clients: [
      {
        client_id: id,
        ...(secret ? { client_secret: secret } : { token_endpoint_auth_method: "none" }),
        redirect_uris: [redirect],
        post_logout_redirect_uris: [out],
        ...(ended ? { backchannel_logout_uri: ended } : {}),
      },
    ],
    jwks: { keys },
    claims: { openid: ["sub", "acr", "amr"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => accounts.get(sub) }),
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ["only for a test"] },
    fetch: (address, { dispatcher, ...options }) => fetch(address, options), // theirs refuses loopback
    pkce: { required: () => true },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 60, IdToken: 300 },
  });
  return made;
}

async function interaction(request, response) {
  const { params, prompt } = await oidc.interactionDetails(request, response);
  const person = wanted.person;
  if (!person) {
    return oidc.interactionFinished(request, response, { error: "access_denied" });
  }
  accounts.set(person.sub, person);
  const grant = new oidc.Grant({ accountId: person.sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  const login = { accountId: person.sub, amr: person.amr, acr: person.acr, remember: false };
  return oidc.interactionFinished(request, response, prompt.name === "login" ? { login, consent } : { consent });
}

function saml(request, response, url) {
  const person = wanted.person;
  const asked = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest"), "base64")).toString();
  const place = /AssertionConsumerServiceURL="([^"]+)"/.exec(asked)[1];
  const wrapped = Object.assign(response, {
    set: (name, value) => response.setHeader(name, value),
    send: (...parts) => {
      if (parts.length > 1 || typeof parts[0] === "number") response.statusCode = 500;
      response.end(String(parts.at(-1)));
    },
  });
  const mapped = () => ({
    getClaims: () => ({ email: person.email, displayName: person.name, groups: person.groups }),
    getNameIdentifier: () => ({ nameIdentifier: person.sub }),
  });
  const options = {
    issuer: `${origin}/saml`,
    cert: readFileSync(process.env.SAML_CERT),
    key: readFileSync(process.env.SAML_KEY),
    getUserFromRequest: () => person,
    profileMapper: mapped,
    getPostURL: (_audience, _dom, _request, callback) => callback(null, place),
    recipient: place,
    destination: place,
    authnContextClassRef: person.acr || "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
    lifetimeInSeconds: 300,
    ...wanted.saml,
  };
  request.query = Object.fromEntries(url.searchParams);
  samlp.auth(options)(request, wrapped, (fault) => {
    response.statusCode = 500;
    response.end(String(fault));
  });
}

async function control(request, response) {
  let text = "";
  for await (const part of request) text += part;
  const said = JSON.parse(text);
  Object.assign(wanted, said);
  if (said.rotate || !keys.length) keys = [freshKey()];
  if (wanted.client && (said.client || said.rotate)) oidc = provider();
  response.end();
}

const server = createServer((request, response) => {
  const url = new URL(request.url, origin);
  const failed = (fault) => {
    response.statusCode = 500;
    response.end(String(fault));
  };
  if (url.pathname === "/control") return control(request, response).catch(failed);
  if (url.pathname === "/saml") return saml(request, response, url);
  if (url.pathname.startsWith("/interaction/")) return interaction(request, response).catch(failed);
  return oidc ? oidc.callback()(request, response) : failed("no client yet");
});
server.listen(0, "127.0.0.1", () => {
  origin = `http://localhost:${server.address().port}`;
  console.log(server.address().port);
});
