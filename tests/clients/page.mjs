// Amplify against the sandbox, in a browser: sign-in with SRP, and the user's files.
import { Amplify } from "aws-amplify";
import { fetchAuthSession, signIn, signOut } from "aws-amplify/auth";
import { downloadData, getUrl, list, remove, uploadData } from "aws-amplify/storage";

const sandbox = globalThis.SANDBOX;

function configure() {
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: sandbox.SANDBOX_USER_POOL,
        userPoolClientId: sandbox.SANDBOX_APP_CLIENT,
        identityPoolId: sandbox.SANDBOX_IDENTITY_POOL,
        userPoolEndpoint: sandbox.SANDBOX_ENDPOINT,
        identityPoolEndpoint: sandbox.SANDBOX_ENDPOINT,
      },
    },
    Storage: {
      S3: {
        bucket: sandbox.SANDBOX_BUCKET,
        region: sandbox.SANDBOX_REGION,
        dangerouslyConnectToHttpEndpointForTesting: "true", // see docs/testing-with-the-sandbox.md
      },
    },
  });
}

async function denied(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.name;
  }
  return "allowed";
}

async function session(name, others) {
  configure();
  await signOut().catch(() => {});
  const { isSignedIn } = await signIn({ username: name, password: sandbox.SANDBOX_PASSWORD }); // USER_SRP_AUTH
  const { identityId } = await fetchAuthSession();
  const path = `${identityId}/notes/a b.txt`;
  const progress = [];
  const onProgress = ({ transferredBytes }) => progress.push(transferredBytes);
  await uploadData({ path, data: "hello", options: { onProgress } }).result;
  const large = new Blob([new Uint8Array(11 * 1024 * 1024)]);
  await uploadData({ path: `${identityId}/large`, data: large, options: { onProgress } }).result;
  const { items } = await list({ path: `${identityId}/` });
  const { body } = await downloadData({ path }).result;
  const text = await body.text();
  const { url } = await getUrl({ path });
  const byUrl = await (await fetch(url)).text();
  await remove({ path: `${identityId}/large` });
  const left = (await list({ path: `${identityId}/` })).items.map((item) => item.path);
  return {
    isSignedIn,
    identityId,
    listed: items.map((item) => [item.path, item.size]),
    progress: Math.max(...progress),
    text,
    byUrl,
    left,
    others: others && [
      await denied(() => downloadData({ path: `${others}/notes/a b.txt` }).result),
      await denied(() => list({ path: `${others}/` })),
      await denied(() => uploadData({ path: `${others}/x`, data: "" }).result),
      await denied(() => remove({ path: `${others}/notes/a b.txt` })),
    ],
  };
}

async function wrongPassword(name) {
  configure();
  await signOut().catch(() => {});
  return denied(() => signIn({ username: name, password: "Another-password-1" }));
}
globalThis.app = { session, wrongPassword };
