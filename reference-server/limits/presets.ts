// The rate limits that the server knows by name.

export const limitsNames = ['development', 'production', 'test', 'off'] as const;

export type LimitsName = (typeof limitsNames)[number];

/** A rate without a penalty: `perMinute` on average, `burst` at once. */
export interface Rate {
  perMinute: number;
  burst: number;
}

/** What one connection may send. */
export interface MessageLimits {
  messagesPerMinute: number;
  burstLimit: number;
  violationPenaltyMs: number;
}

export interface Limits {
  name: LimitsName;
  messages: MessageLimits | null;
  connectionsPerUser: number;
  upgradesPerIp: Rate | null;
  statusPerIp: Rate | null;
}

// biome-ignore format: a table
export const limitsPresets: Record<LimitsName, Limits> = {
  development: {
    name: 'development',
    messages: { messagesPerMinute: 1000, burstLimit: 50, violationPenaltyMs: 5_000 },
    connectionsPerUser: Number.POSITIVE_INFINITY,
    upgradesPerIp: { perMinute: 6000, burst: 1000 },
    statusPerIp: { perMinute: 1000, burst: 1000 },
  },
  production: {
    name: 'production',
    messages: { messagesPerMinute: 100, burstLimit: 10, violationPenaltyMs: 60_000 },
    connectionsPerUser: 20,
    upgradesPerIp: { perMinute: 60, burst: 20 },
    statusPerIp: { perMinute: 60, burst: 60 },
  },
  test: {
    name: 'test',
    messages: { messagesPerMinute: 1200, burstLimit: 20, violationPenaltyMs: 1_000 },
    connectionsPerUser: 50,
    upgradesPerIp: { perMinute: 1200, burst: 20 },
    statusPerIp: { perMinute: 300, burst: 5 },
  },
  off: {
    name: 'off',
    messages: null,
    connectionsPerUser: Number.POSITIVE_INFINITY,
    upgradesPerIp: null,
    statusPerIp: null,
  },
};
