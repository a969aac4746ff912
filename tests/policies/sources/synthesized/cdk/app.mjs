import * as cdk from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import * as identitypool from 'aws-cdk-lib/aws-cognito-identitypool';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';

const own = '${cognito-identity.amazonaws.com:sub}';
const app = new cdk.App({ outdir: 'cdk.out' });

// The identity pool as a construct, and a bucket whose grant gives more than the user's own folder.
const notes = new cdk.Stack(app, 'Notes');
const uploads = new s3.Bucket(notes, 'Uploads');
const users = new cognito.UserPool(notes, 'Users');
const pool = new identitypool.IdentityPool(notes, 'Pool', {
  authenticationProviders: { userPools: [new identitypool.UserPoolAuthenticationProvider({ userPool: users })] },
});
pool.authenticatedRole.addToPrincipalPolicy(
  new iam.PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [uploads.arnForObjects(`private/${own}/*`)] }),
);
uploads.grantRead(pool.authenticatedRole);

// The same of single resources, with a bucket of another stack.
const classic = new cdk.Stack(app, 'Classic');
const files = new s3.Bucket(classic, 'Files');
const identities = new cognito.CfnIdentityPool(classic, 'Pool', { allowUnauthenticatedIdentities: true });
const conditions = {
  StringEquals: { 'cognito-identity.amazonaws.com:aud': identities.ref },
  'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
};
const role = new iam.Role(classic, 'Auth', {
  assumedBy: new iam.FederatedPrincipal('cognito-identity.amazonaws.com', conditions, 'sts:AssumeRoleWithWebIdentity'),
});
const guide = ['mobileanalytics:PutEvents', 'cognito-sync:*', 'cognito-identity:*'];
role.addToPolicy(new iam.PolicyStatement({ actions: guide, resources: ['*'] }));
files.grantReadWrite(role, `*/${own}/*`);
new cognito.CfnIdentityPoolRoleAttachment(classic, 'Roles', {
  identityPoolId: identities.ref,
  roles: { authenticated: role.roleArn },
});
new s3.Bucket(new cdk.Stack(app, 'Storage'), 'Shared').grantRead(role);
app.synth();
