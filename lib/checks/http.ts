// Plain HTTP GETs, for the status endpoint.
import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { ConnectPlan } from './plan.ts';

export type HttpOptions = Pick<ConnectPlan, 'headers' | 'insecure' | 'caCertificates' | 'timeoutMs'>;

/** An HTTP answer; `retryAfter` is the header as sent. */
export interface HttpAnswer {
  status: number;
  retryAfter: string | null;
  body: string;
}

/** GETs a URL; rejects when there is no answer in time. */
export function httpGet(url: string, options: HttpOptions): Promise<HttpAnswer> {
  const secure = url.startsWith('https:');
  const requestOptions: RequestOptions = {
    headers: options.headers,
    agent: false,
    signal: AbortSignal.timeout(options.timeoutMs),
    ...(secure
      ? {
          rejectUnauthorized: !options.insecure,
          ...(options.caCertificates.length > 0
            ? { ca: [...rootCertificates, ...options.caCertificates] }
            : {}),
        }
      : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? getHttps : getHttp)(url, requestOptions, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < 16_384) body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'] ?? null,
          body,
        });
      });
    });
    request.on('error', reject);
  });
}
