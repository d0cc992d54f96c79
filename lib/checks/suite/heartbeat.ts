// heartbeat: a typed PING is answered by one PONG with its id and the server's time.
import { type Check, failed, passed } from '../check.ts';
import { answerOf, describeAnswers, type Exchange } from '../message.ts';

interface Evidence {
  exchanges: Exchange[];
}

export const heartbeat: Check<Evidence> = {
  id: 'heartbeat',
  title: 'Heartbeat: PING gets PONG',
  tags: ['quick'],
  needs: ['wsbench'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const connection = await context.connect();
    const exchanges: Exchange[] = [];
    for (let round = 0; round < 3; round++) exchanges.push(await connection.request('PING'));
    return { exchanges };
  },
  judge({ exchanges }) {
    for (const exchange of exchanges) {
      const pong = answerOf(exchange, 'PONG');
      if (!pong) return failed('one PONG with the id of the PING', describeAnswers(exchange));
      if (typeof pong.payload.serverTime !== 'number') {
        return failed('a PONG with serverTime in ms', `serverTime ${String(pong.payload.serverTime)}`);
      }
    }
    return passed(`${exchanges.length} of ${exchanges.length} PONGs, each with its id and serverTime`);
  },
};
