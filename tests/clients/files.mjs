// The AWS SDK for JavaScript against the sandbox: what an app does with files.
import assert from "node:assert/strict";
import test from "node:test";
import { CognitoIdentityProviderClient, InitiateAuthCommand } from "@aws-sdk/client-cognito-identity-provider";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { fromCognitoIdentityPool } from "@aws-sdk/credential-providers";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const env = process.env;
const at = { region: env.SANDBOX_REGION, endpoint: env.SANDBOX_ENDPOINT };
const Bucket = env.SANDBOX_BUCKET;

async function signIn(name) {
  const cognito = new CognitoIdentityProviderClient(at);
  const parameters = { USERNAME: name, PASSWORD: env.SANDBOX_PASSWORD };
  const answer = await cognito.send(
    new InitiateAuthCommand({
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: env.SANDBOX_APP_CLIENT,
      AuthParameters: parameters,
    }),
  );
  const credentials = await fromCognitoIdentityPool({
    identityPoolId: env.SANDBOX_IDENTITY_POOL,
    logins: { [env.SANDBOX_PROVIDER]: answer.AuthenticationResult.IdToken },
    clientConfig: at,
  })();
  const s3 = new S3Client({ ...at, credentials, forcePathStyle: true });
  return { s3, folder: `${credentials.identityId}/` };
}

const ann = await signIn("ann");
const bob = await signIn("bob");
const text = async (answer) => answer.Body.transformToString();
const denied = { name: "AccessDenied" };

test("a user puts, gets, heads, copies, lists and deletes their own files", async () => {
  const Key = `${ann.folder}a b/ü+&=.txt`;
  await ann.s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", ContentType: "text/plain" }));
  assert.equal(await text(await ann.s3.send(new GetObjectCommand({ Bucket, Key }))), "hello");
  assert.equal((await ann.s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength, 5);
  const CopySource = encodeURIComponent(`${Bucket}/${Key}`);
  await ann.s3.send(new CopyObjectCommand({ Bucket, Key: `${ann.folder}copy`, CopySource }));
  const listed = await ann.s3.send(new ListObjectsV2Command({ Bucket, Prefix: ann.folder }));
  assert.deepEqual(listed.Contents.map((file) => file.Key).sort(), [Key, `${ann.folder}copy`].sort());
  await ann.s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await ann.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: `${ann.folder}copy` }] } }));
});

test("another user is denied", async () => {
  const Key = `${ann.folder}secret`;
  await ann.s3.send(new PutObjectCommand({ Bucket, Key, Body: "secret" }));
  await assert.rejects(bob.s3.send(new GetObjectCommand({ Bucket, Key })), denied);
  await assert.rejects(bob.s3.send(new PutObjectCommand({ Bucket, Key, Body: "" })), denied);
  await assert.rejects(bob.s3.send(new DeleteObjectCommand({ Bucket, Key })), denied);
  await assert.rejects(bob.s3.send(new ListObjectsV2Command({ Bucket, Prefix: ann.folder })), denied);
  await assert.rejects(bob.s3.send(new ListObjectsV2Command({ Bucket })), denied);
  const CopySource = encodeURIComponent(`${Bucket}/${Key}`);
  await assert.rejects(bob.s3.send(new CopyObjectCommand({ Bucket, Key: `${bob.folder}c`, CopySource })), denied);
});

test("a large file is uploaded in parts, with progress", async () => {
  const Key = `${ann.folder}large`;
  const Body = Buffer.alloc(12 * 1024 * 1024, "x");
  const upload = new Upload({ client: ann.s3, params: { Bucket, Key, Body } });
  const seen = [];
  upload.on("httpUploadProgress", (progress) => seen.push(progress.loaded));
  await upload.done();
  assert.equal(Math.max(...seen), Body.length);
  assert.ok(seen.length > 1);
  const head = await ann.s3.send(new HeadObjectCommand({ Bucket, Key }));
  assert.equal(head.ContentLength, Body.length);
  const other = new Upload({ client: bob.s3, params: { Bucket, Key, Body } });
  await assert.rejects(other.done(), denied);
});

test("a stream is uploaded in signed chunks", async () => {
  const Key = `${ann.folder}stream`;
  const stream = new Blob(["part one, ", "part two"]).stream();
  await new Upload({ client: ann.s3, params: { Bucket, Key, Body: stream } }).done();
  assert.equal(await text(await ann.s3.send(new GetObjectCommand({ Bucket, Key }))), "part one, part two");
});

test("a presigned URL gets and puts one file", async () => {
  const Key = `${ann.folder}presigned`;
  const put = await getSignedUrl(ann.s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
  assert.equal((await fetch(put, { method: "PUT", body: "by URL" })).status, 200);
  const get = await getSignedUrl(ann.s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
  assert.equal(await (await fetch(get)).text(), "by URL");
  assert.equal((await fetch(get.replace("presigned", "secret"))).status, 403);
  const others = await getSignedUrl(bob.s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
  assert.equal((await fetch(others)).status, 403);
});

test("a form uploads what its policy allows", async () => {
  const post = async (client, folder, size) => {
    const { url, fields } = await createPresignedPost(client, {
      Bucket,
      Key: `${folder}\${filename}`,
      Conditions: [["content-length-range", 1, 10]],
      Expires: 60,
    });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob(["x".repeat(size)]), "form.txt");
    return (await fetch(url, { method: "POST", body: form })).status;
  };
  assert.equal(await post(ann.s3, ann.folder, 5), 204);
  assert.equal(await post(ann.s3, ann.folder, 50), 400);
  assert.equal(await post(bob.s3, ann.folder, 5), 403);
  assert.equal(await text(await ann.s3.send(new GetObjectCommand({ Bucket, Key: `${ann.folder}form.txt` }))), "xxxxx");
});
