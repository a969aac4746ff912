// pulumi package add ../../components   makes @pulumi/scoped-identity in ./sdks and adds it to package.json
import * as scoped from "@pulumi/scoped-identity";

const users = new scoped.ScopedIdentityPool("users", {
    poolName: "notes",
    userPools: [{ id: "eu-west-1_AbCdEf123", clients: ["1h57kf5cpq17m0eml12EXAMPLE"] }],
    uploads: { bucket: "notes-uploads", prefix: "users/" },
    api: { id: "a1b2c3d4e5", stage: "v1" },
    authenticated: { grants: [{ ownRows: { table: "notes" } }] },
});

export const identityPoolId = users.identityPoolId;
export const amplify = users.amplify;
