/**
 * One replica, as a process of its own that can be stopped and killed: campaigns for a lease and, while it leads,
 * writes its name into a ConfigMap as often as it can. Arguments: kubeconfig, identity.
 */

import { sleep, systemClock } from '../../src/clock.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { KubeConfigCredentials, loadKubeConfig } from '../../src/kube/credentials.ts';
import { LeaderElector } from '../../src/kube/leader-election.ts';
import { leaseOnServer } from '../../src/kube/lease.ts';
import { Transport } from '../../src/kube/transport.ts';
import { CONFIG_MAPS } from '../kube/fixtures.ts';

const [file = '', identity = ''] = process.argv.slice(2);
const credentials = new KubeConfigCredentials(systemClock, () => loadKubeConfig({ file }));
const transport = new Transport({ clock: systemClock, credentials, userAgent: 'larder/candidate' });
const client = new KubeClient({ transport, fieldManager: identity });
const store = leaseOnServer(client, { namespace: 'default', name: 'candidates' });
const elector = new LeaderElector({ store, identity, clock: systemClock, name: 'candidates' });
const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});
const keepAlive = setInterval(() => undefined, 1_000);
const fenced = client.fenced(() => elector.holdsLease());
const campaign = elector.run(stop.signal);
await Promise.race([elector.whenLeading(), campaign]);
while (!stop.signal.aborted && !elector.lost.aborted) {
  await fenced
    .patch(CONFIG_MAPS, { namespace: 'default', name: 'journal' }, { data: { writer: identity } })
    .then(() => sleep(systemClock, 20))
    .catch(() => sleep(systemClock, 100));
}
await campaign;
await elector.release();
await transport.close();
clearInterval(keepAlive);
process.exitCode = elector.lost.aborted ? 3 : 0;
