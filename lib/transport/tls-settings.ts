// What TLS connections are made with, prepared once: reading certificates for each connection would cost milliseconds.
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { messageOf, WsbenchError } from '../errors.ts';

/** What a user says about TLS. Everything is PEM. */
export interface TlsOptions {
  /** Authorities that are trusted besides the usual ones. */
  ca?: string;
  /** A certificate of ours, with those that lead to its authority. */
  cert?: string;
  /** The private key of {@link cert}. */
  key?: string;
  /** What {@link key} is encrypted with. */
  passphrase?: string;
  /** The name that is asked for (SNI) and looked for in the certificate, where it is not that of the URL. */
  servername?: string;
  /** Accept any certificate. */
  insecure?: boolean;
}

/** The same, ready for any number of connections. */
export interface TlsSettings {
  context: SecureContext;
  servername: string | undefined;
  insecure: boolean;
}

/**
 * Reads certificates and key.
 *
 * @throws WsbenchError `USAGE` when they cannot be read, or do not belong together
 */
export function tlsSettings(options: TlsOptions = {}): TlsSettings {
  const { ca, cert, key, passphrase, servername, insecure = false } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new WsbenchError(
      'USAGE',
      `a client certificate needs its key: the ${cert === undefined ? 'certificate' : 'key'} is missing`,
    );
  }
  try {
    const context = createSecureContext({
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    return { context, servername, insecure };
  } catch (error) {
    throw new WsbenchError(
      'USAGE',
      `the certificates or the key for TLS cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
