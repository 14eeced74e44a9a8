/** What somebody may do, the least first. */
export const ROLES = ['read', 'control', 'account', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (text: unknown): text is Role => ROLES.some((role) => role === text);

/** What else may be done by whoever has a role. */
const GRANTS: Readonly<Record<Role, readonly Role[]>> = {
  read: ['read'],
  control: ['read', 'control'],
  account: ['read', 'account'],
  admin: ROLES,
};

/** All that may be done with these roles. */
export const grantedBy = (...roles: readonly Role[]): ReadonlySet<Role> =>
  new Set(roles.flatMap((role) => GRANTS[role]));
