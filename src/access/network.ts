/** Whoever has one address of IPv6 has all of its first 64 bits. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const [front, back] = [head, tail].map((part) => (part ? part.split(':') : []));
  if (tail === undefined) return (front ?? []).slice(0, 4).join(':');
  const zeros = Array.from({ length: Math.max(0, 8 - (front?.length ?? 0) - (back?.length ?? 0)) }, () => '0');
  return [...(front ?? []), ...zeros, ...(back ?? [])].slice(0, 4).join(':');
}
