// What happens in Redis in one piece. Each script starts with `now`, Redis's clock in ms; ARGV[1] is taken (redis-session.ts).
import { script } from './redis-session.ts';

/** ARGV: run id, fresh epoch. A log that another life of Redis wrote may lack its end: it is never gone on with. */
const openLog = `
local epoch, run = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'run'))
if not epoch or run ~= ARGV[2] then
  epoch = ARGV[3]
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', ARGV[2], 'offset', 0, 'bytes', 0)
end
local function keep(ms)
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ms) end
end
`;

/**
 * Appends and publishes. KEYS: meta, log, counts, instances, and that of the effect if there is one.
 * ARGV: run id, fresh epoch, keep ms, channel's name, start of the message, data, max messages, max bytes, effect's ms.
 * Returns epoch, offset, receivers.
 */
export const publishScript = script(`${openLog}
if KEYS[5] then
  local e, o, r = unpack(redis.call('HMGET', KEYS[5], 'epoch', 'offset', 'receivers'))
  if e == epoch then return { e, tonumber(o), tonumber(r) } end
end
local data = ARGV[7]
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('RPUSH', KEYS[2], data)
local bytes = redis.call('HINCRBY', KEYS[1], 'bytes', #data)
local count = redis.call('LLEN', KEYS[2])
while count > 0 and (count > tonumber(ARGV[8]) or bytes > tonumber(ARGV[9])) do
  bytes = redis.call('HINCRBY', KEYS[1], 'bytes', -#redis.call('LPOP', KEYS[2]))
  count = count - 1
end
if count == 0 then redis.call('HSET', KEYS[1], 'bytes', 0) end
keep(ARGV[4])
local receivers = 0
local counts = redis.call('HGETALL', KEYS[3])
for i = 1, #counts, 2 do
  if redis.call('ZSCORE', KEYS[4], counts[i]) then receivers = receivers + tonumber(counts[i + 1])
  else redis.call('HDEL', KEYS[3], counts[i]) end
end
redis.call('PUBLISH', ARGV[5], ARGV[6] .. '"e":"' .. epoch .. '","o":' .. offset .. ',"d":' .. data .. '}')
if KEYS[5] then
  redis.call('HSET', KEYS[5], 'epoch', epoch, 'offset', offset, 'receivers', receivers)
  redis.call('PEXPIRE', KEYS[5], ARGV[10])
end
return { epoch, offset, receivers }
`);

/**
 * Reads a log. KEYS: meta, log, counts. ARGV: run id, fresh epoch, keep ms, instance, its subscribers, epoch and offset after
 * which to read (empty: nothing), and whether to read all that there is when that place is gone.
 * Returns epoch, offset, whether the place was found, and the messages' data, the last of which has the offset.
 */
export const readScript = script(`${openLog}
if ARGV[6] == '0' then redis.call('HDEL', KEYS[3], ARGV[5]) else redis.call('HSET', KEYS[3], ARGV[5], ARGV[6]) end
keep(ARGV[4])
local offset = tonumber(redis.call('HGET', KEYS[1], 'offset'))
local oldest = offset - redis.call('LLEN', KEYS[2])
local since = tonumber(ARGV[8])
if ARGV[7] == epoch and since <= offset and since >= oldest then
  return { epoch, offset, 1, redis.call('LRANGE', KEYS[2], since - oldest, -1) }
end
return { epoch, offset, 0, ARGV[9] == '1' and redis.call('LRANGE', KEYS[2], 0, -1) or {} }
`);

/** Counts an instance's subscribers anew. KEYS: counts. ARGV: instance, subscribers. */
export const countScript = script(`
if ARGV[3] == '0' then redis.call('HDEL', KEYS[1], ARGV[2]) else redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
`);

/** Keeps a log that has subscribers. KEYS: meta, log, counts. ARGV: keep ms. */
export const keepScript = script(`
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
`);

/** ARGV: name, text. Returns how many were told. */
export const tellScript = script(`return redis.call('PUBLISH', ARGV[2], ARGV[3])`);

/**
 * Claims an effect. KEYS: answer, effect. ARGV: token, lease ms, fresh effect id, effect's ms.
 * Returns what is stored ("A" and the answer, "P" and whose it is), or "" and the effect's id when it is ours now.
 */
export const claimScript = script(`
local stored = redis.call('GET', KEYS[1])
if stored then return { stored, '' } end
redis.call('SET', KEYS[1], 'P' .. ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[5])
return { '', redis.call('GET', KEYS[2]) }
`);

/** Stores an answer, unless somebody else has one. KEYS: answer, effect. ARGV: token, answer, ms. */
export const storeScript = script(`
local stored = redis.call('GET', KEYS[1])
if stored and stored ~= 'P' .. ARGV[2] then return 0 end
redis.call('SET', KEYS[1], 'A' .. ARGV[3], 'PX', ARGV[4])
redis.call('DEL', KEYS[2])
return 1
`);

/** Gives a claim up. The effect's id stays: nobody knows how far it came. KEYS: answer. ARGV: token. */
export const releaseScript = script(`
if redis.call('GET', KEYS[1]) == 'P' .. ARGV[2] then redis.call('DEL', KEYS[1]) end
`);

/** ARGV: first parts of agents, changes, presence, held, inboxes; start of messages. An agent is owner (instance, handle) and state. */
const agentsAt = `
local agents, changes, presence, held, inboxes, start = unpack(ARGV, 2, 7)
local function announce(tenant, state)
  local n = redis.call('INCR', changes .. tenant)
  redis.call('PEXPIRE', changes .. tenant, 86400000)
  redis.call('PUBLISH', presence .. tenant, start .. '"n":' .. n .. ',"a":' .. state .. '}')
end
local function remove(instance, tenant, id)
  local known = redis.call('HGET', agents .. tenant, id)
  if not known or string.sub(known, 1, 36) ~= instance then return end
  redis.call('HDEL', agents .. tenant, id)
  announce(tenant, cjson.encode({ agentId = id, status = 'offline' }))
end
local function leave(instances, instance)
  for _, member in ipairs(redis.call('SMEMBERS', held .. instance)) do
    local tenant, id = string.match(member, '^(.*)\\n([^\\n]*)$')
    if tenant then remove(instance, tenant, id) end
  end
  redis.call('DEL', held .. instance)
  redis.call('ZREM', instances, instance)
end
`;

/**
 * Puts an agent in its place. ARGV on: tenant, agent's id, owner, state, and "1" to take over from another owner.
 * Returns whether it has the place.
 */
export const enterScript = script(`${agentsAt}
local tenant, id, owner, state, takes = unpack(ARGV, 8, 12)
local known = redis.call('HGET', agents .. tenant, id)
local member = tenant .. '\\n' .. id
if known and string.sub(known, 1, 72) ~= owner then
  if takes ~= '1' then return 0 end
  local instance = string.sub(known, 1, 36)
  redis.call('SREM', held .. instance, member)
  redis.call('PUBLISH', inboxes .. instance, start .. '"kind":"replaced","handle":"' .. string.sub(known, 37, 72) .. '"}')
end
redis.call('SADD', held .. string.sub(owner, 1, 36), member)
if known ~= owner .. state then
  redis.call('HSET', agents .. tenant, id, owner .. state)
  announce(tenant, state)
end
return 1
`);

/** Says how an agent is, if it has the place still. ARGV on: tenant, agent's id, owner, state. */
export const statusScript = script(`${agentsAt}
local tenant, id, owner, state = unpack(ARGV, 8, 11)
local known = redis.call('HGET', agents .. tenant, id)
if not known or string.sub(known, 1, 72) ~= owner then return 0 end
redis.call('HSET', agents .. tenant, id, owner .. state)
announce(tenant, state)
return 1
`);

/** Takes an agent away, if the place is the owner's (a handle, or of an instance whatever handle). ARGV on: tenant, id, owner. */
export const exitScript = script(`${agentsAt}
local tenant, id, owner = unpack(ARGV, 8, 10)
local known = redis.call('HGET', agents .. tenant, id)
local instance = string.sub(owner, 1, 36)
if known and string.sub(known, 1, #owner) == owner then remove(instance, tenant, id) end
known = redis.call('HGET', agents .. tenant, id)
if not known or string.sub(known, 1, 36) ~= instance then redis.call('SREM', held .. instance, tenant .. '\\n' .. id) end
`);

/** Those of one tenant. ARGV on: tenant. Returns the number of changes so far, and ids and values in turn. */
export const listScript = script(`${agentsAt}
return { tonumber(redis.call('GET', changes .. ARGV[8]) or 0), redis.call('HGETALL', agents .. ARGV[8]) }
`);

/** Hands a message to whoever holds an agent. ARGV on: tenant, id, message. Returns how many got it. */
export const routeScript = script(`${agentsAt}
local tenant, id, message = unpack(ARGV, 8, 10)
local known = redis.call('HGET', agents .. tenant, id)
if not known then return 0 end
return redis.call('PUBLISH', inboxes .. string.sub(known, 1, 36), message)
`);

/**
 * An instance lives, and buries those that do not. KEYS: instances. ARGV on: instance, life in ms, "1" to look for the dead.
 * It does not look when its own life was over: then all had to wait, or the clock was set. Returns whether it was known.
 */
export const beatScript = script(`${agentsAt}
local instance, life, looks = unpack(ARGV, 8, 10)
local mine = redis.call('ZSCORE', KEYS[1], instance)
redis.call('ZADD', KEYS[1], now + life, instance)
if looks == '1' and mine and tonumber(mine) >= now then
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10)) do leave(KEYS[1], dead) end
end
return mine and 1 or 0
`);

/** An instance goes. KEYS: instances. ARGV on: instance. */
export const leaveScript = script(`${agentsAt}
leave(KEYS[1], ARGV[8])
`);

/** The agents that an instance holds, for all that Redis knows. ARGV on: instance. */
export const heldScript = script(`${agentsAt}
return redis.call('SMEMBERS', held .. ARGV[8])
`);

/**
 * Remembers revocations, the latest of each subject. KEYS: revoked. ARGV: keep ms, how many, name, text (empty: tells nobody),
 * and times and subjects in turn.
 */
export const revokeScript = script(`
for i = 6, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'GT', ARGV[i], ARGV[i + 1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
`);

/** When a subject was revoked. KEYS: revoked. ARGV: sub. */
export const revokedScript = script(`return redis.call('ZSCORE', KEYS[1], ARGV[2])`);

/** What was revoked since. KEYS: revoked. ARGV: since, in ms. Returns subjects and times in turn. */
export const revokedSinceScript = script(`
return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'WITHSCORES')
`);
