// amplify/auth/resource.ts
import { defineAuth, defineBackend, defineStorage } from '@aws-amplify/backend';
export const auth = defineAuth({ loginWith: { email: true }, groups: ['admins'] });

// amplify/storage/resource.ts
export const storage = defineStorage({
  name: 'notes',
  access: (allow) => ({
    'public/*': [allow.guest.to(['read']), allow.authenticated.to(['read', 'write'])],
    'private/{entity_id}/*': [allow.entity('identity').to(['read', 'write', 'delete'])],
    'admin/*': [allow.groups(['admins']).to(['read', 'write'])],
  }),
});

// amplify/backend.ts
defineBackend({ auth, storage });
