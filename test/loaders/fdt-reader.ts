// Reads a flattened device tree, by the Devicetree Specification 0.4, chapter 5: strict about everything.

import * as assert from 'uvu/assert';

export interface Node {
  readonly properties: Record<string, Uint8Array>;
  readonly children: Record<string, Node>;
}

export function readFdt(bytes: Uint8Array): Node {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, total, structAt, stringsAt, reserveAt, version, compatible, , stringsSize, structSize] = Array.from(
    { length: 10 },
    (_, i) => view.getUint32(4 * i),
  );
  assert.is(magic, 0xd00dfeed);
  assert.is(total, bytes.length);
  assert.equal([version, compatible], [17, 16]);
  assert.is(reserveAt % 8, 0);
  assert.is(structAt % 4, 0);
  assert.is(stringsAt + stringsSize, total);
  const text = (at: number): string => {
    const end = bytes.indexOf(0, at);
    assert.ok(end >= at);
    return new TextDecoder().decode(bytes.subarray(at, end));
  };

  let at = structAt;
  const node = (): Node => {
    const properties: Record<string, Uint8Array> = {};
    const children: Record<string, Node> = {};
    for (;;) {
      const token = view.getUint32(at);
      at += 4;
      if (token === 3) {
        assert.equal(Object.keys(children), [], 'properties come before children');
        const length = view.getUint32(at);
        const name = text(stringsAt + view.getUint32(at + 4));
        properties[name] = bytes.slice(at + 8, at + 8 + length);
        at = Math.ceil((at + 8 + length) / 4) * 4;
      } else if (token === 1) {
        const name = text(at);
        at = Math.ceil((at + new TextEncoder().encode(name).length + 1) / 4) * 4;
        assert.is(children[name], undefined, `two nodes ${name}`);
        children[name] = node();
      } else {
        assert.is(token, 2);
        return { properties, children };
      }
    }
  };
  assert.is(view.getUint32(at), 1);
  assert.is(text(at + 4), '', 'the root has no name');
  at += 8;
  const root = node();
  assert.is(view.getUint32(at), 9);
  assert.is(at + 4, structAt + structSize);
  return root;
}

export function cells(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
}

export function strings(bytes: Uint8Array): string[] {
  const all = new TextDecoder().decode(bytes);
  assert.ok(all.endsWith('\0'));
  return all.slice(0, -1).split('\0');
}
