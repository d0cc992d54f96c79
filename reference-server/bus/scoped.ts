// The name of something of a tenant.

/** Tenants are free text; the length in front keeps `a` + `b/c` and `a/b` + `c` apart. */
export function scoped(tenant: string, name: string): string {
  return `${tenant.length}:${tenant}/${name}`;
}
