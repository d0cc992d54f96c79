// Indexes of connections: used again when nothing is remembered under them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareIndexes } from '../../lib/load/spare-indexes.ts';

test('spare indexes: one that was used rests, one that never was is taken at once', { timeout: 5000 }, () => {
  const spare = new SpareIndexes(4, 1000);
  assert.deepEqual([spare.take(0), spare.take(0)], [4, 5]);
  spare.giveBack(4, 0);
  assert.equal(spare.take(999), 6, 'it still rests');
  spare.giveBackUnused(5);
  assert.equal(spare.take(999), 5);
  assert.equal(spare.take(1000), 4);
  // However many attempts fail in a row, they need one index between them.
  for (let attempt = 0; attempt < 1000; attempt++) {
    const index = spare.take(0);
    assert.equal(index, 7);
    spare.giveBackUnused(index);
  }
});
