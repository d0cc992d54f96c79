// Limits in Redis. All times there are its own, in ms: instances tell and are told what is left of them, never when something was.
import { script } from './redis-session.ts';

/** To the microsecond: fractions of tokens would be lost, or won, every time. */
const exactly = `
now = t[1] * 1000 + t[2] / 1000
`;

/**
 * A rate's bucket is the time at which it will be full again. KEYS: that. ARGV: ms a token, burst.
 * Returns 0 when one may pass, else the ms until then. A time that no spending explains (Redis's clock was set back) counts as the
 * emptiest that there can be.
 */
export const passScript = script(`${exactly}local each, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
full = math.min(math.max(full, now), now + 2 * burst * each) + each
local wait = full - now - burst * each
if wait > 0.000001 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX', math.ceil(full - now))
return 0
`);

/** What was let through without asking is paid for. KEYS: buckets. ARGV, for each of them: ms a token, burst, tokens. */
export const payScript = script(`${exactly}for i, key in ipairs(KEYS) do
  local each, burst, tokens = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local full = math.max(tonumber(redis.call('GET', key) or now), now) + tokens * each
  full = math.min(full, now + 2 * burst * each)
  redis.call('SET', key, string.format('%.6f', full), 'PX', math.ceil(full - now))
end
`);

/** A parked bucket is when its penalty ends, when it is full, and its refusals. The same order as that of TokenBucket.compare. */
const bucketsAt = `${exactly}local longestFull, longestPenalty = tonumber(ARGV[2]), tonumber(ARGV[3])
local function waiting(key)
  local all = {}
  for _, item in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local penalty, full, refusals = string.match(item, '^(%S+) (%S+) (%S+)$')
    penalty = math.min(math.max(tonumber(penalty) - now, 0), longestPenalty)
    full = math.min(math.max(tonumber(full) - now, 0), longestFull)
    if penalty > 0 or full > 0 then table.insert(all, { penalty, full, tonumber(refusals) }) end
  end
  return all
end
local function keep(key, all)
  table.sort(all, function(a, b) if a[1] ~= b[1] then return a[1] > b[1] end return a[2] > b[2] end)
  while #all > 64 do
    local spare, least = table.remove(all), all[64]
    for i = 1, 3 do least[i] = math.max(least[i], spare[i]) end
  end
  redis.call('DEL', key)
  local longest = 0
  for _, bucket in ipairs(all) do
    redis.call('RPUSH', key, string.format('%.6f %.6f %d', now + bucket[1], now + bucket[2], bucket[3]))
    longest = math.max(longest, bucket[1], bucket[2])
  end
  if longest > 0 then redis.call('PEXPIRE', key, math.ceil(longest)) end
end
`;

/**
 * One more connection, and the strictest bucket that waits. KEYS: connections by instance, buckets, instances.
 * ARGV: longest times of a bucket (full, penalty), instance, its connections with the new one, most of all (-1: no bound), keep ms,
 * "1" for a bucket. Returns 0; or 1, and of the bucket: when it is full and its penalty ends, in ms from now, and its refusals.
 */
export const enterScript = script(`${bucketsAt}
local instance, mine, most = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if most >= 0 then
  local total = mine
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if all[i] ~= instance then
      if redis.call('ZSCORE', KEYS[3], all[i]) then total = total + tonumber(all[i + 1])
      else redis.call('HDEL', KEYS[1], all[i]) end
    end
  end
  if total > most then return { 0 } end
  redis.call('HSET', KEYS[1], instance, mine)
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
if ARGV[8] ~= '1' then return { 1 } end
local left = waiting(KEYS[2])
keep(KEYS[2], left)
local strictest = table.remove(left, 1)
if not strictest then return { 1 } end
redis.call('LPOP', KEYS[2])
return { 1, string.format('%.6f', strictest[2]), string.format('%.6f', strictest[1]), strictest[3] }
`);

/**
 * A bucket is left to wait, and connections are counted, in one step: who finds room finds the bucket, too.
 * KEYS: connections by instance, buckets. ARGV: longest times, instance, its connections (-1: nobody counts), keep ms, and of the
 * bucket (empty: none): when it is full and its penalty ends, in ms from now, and its refusals.
 */
export const leaveScript = script(`${bucketsAt}
if ARGV[5] == '0' then redis.call('HDEL', KEYS[1], ARGV[4])
elseif ARGV[5] ~= '-1' then
  redis.call('HSET', KEYS[1], ARGV[4], ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
end
if ARGV[7] == '' then return end
local all = waiting(KEYS[2])
table.insert(all, { tonumber(ARGV[8]), tonumber(ARGV[7]), tonumber(ARGV[9]) })
keep(KEYS[2], all)
`);

/** Counts an instance's connections anew. KEYS: connections by instance. ARGV: keep ms, instance, and its connections for each. */
export const seatsScript = script(`
for i, key in ipairs(KEYS) do
  if ARGV[i + 3] == '0' then redis.call('HDEL', key, ARGV[3])
  else
    redis.call('HSET', key, ARGV[3], ARGV[i + 3])
    redis.call('PEXPIRE', key, ARGV[2])
  end
end
`);

/** Instances that live. KEYS: instances. */
export const peersScript = script(`return redis.call('ZCOUNT', KEYS[1], now, '+inf')`);
