/** Record keeping: what the controller of records and the REST API share, and the controller with what wakes it. */

import { parse as parseYaml } from 'yaml';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import { RECORD_COUNTERS_NAME } from '../api/record-counter.ts';
import { rivalsOf } from '../controllers/docker-image-record/accept.ts';
import { CatalogueStore } from '../controllers/docker-image-record/catalogue-store.ts';
import { dockerImageRecordReconciler } from '../controllers/docker-image-record/controller.ts';
import { NodeCensus } from '../controllers/docker-image-record/node-census.ts';
import { ReferenceSweep } from '../controllers/docker-image-record/reference-sweep.ts';
import { recordIndex } from '../controllers/docker-image-record/references.ts';
import { dockerImageRecordType } from '../controllers/kinds.ts';
import { RecordReferences } from '../controllers/record-references.ts';
import type { KubeClient } from '../kube/client.ts';
import { Counter } from '../kube/counter.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import { keyOf, type ObjectKey, parseKey } from '../kube/resource.ts';
import { ignoreStatusChanges, Trigger, watchInformer } from '../kube/watch-source.ts';
import type { Caches } from './caches.ts';
import { type ControllerParts, createController } from './controller-parts.ts';
import type { Process } from './process.ts';

/** Follows the catalogue on every replica: the REST API answers from it, too. */
export function createCatalogue({ options, log }: Process, { catalogue }: Caches): CatalogueStore {
  return new CatalogueStore({ informer: catalogue, namespace: options.namespace, parseYaml, log });
}

/** The keys of records; writes with the client it is given, fenced or not. */
export function createRecordCounter({ options }: Process, client: KubeClient): Counter {
  return new Counter({ client, namespace: options.namespace, name: RECORD_COUNTERS_NAME });
}

/** The controller, and what works beside it. */
export function recordKeeping(parts: ControllerParts): readonly Workload[] {
  const { process, client, caches, catalogue } = parts;
  const { records, images } = caches;
  const { clock, log } = process;
  const allRecords = (): readonly ObjectKey[] => records.lister.list().map(keyOf);
  const concerned = new Trigger('references');
  const hardware = new Trigger('hardware');
  const references = new RecordReferences(client);
  const sweep = new ReferenceSweep({
    references,
    records: records.lister,
    clock,
    log,
    onChange: (record) => {
      concerned.fire(record);
    },
  });
  const census = new NodeCensus({
    nodes: caches.nodes,
    clock,
    onChange: () => {
      for (const record of allRecords()) hardware.fire(record);
    },
  });
  const reconciler = dockerImageRecordReconciler({
    ...parts,
    clock,
    catalogue,
    counter: createRecordCounter(process, client),
    census,
    sweep,
    references,
    source: records,
    records: records.lister,
    images: images.lister,
  });
  return [
    census,
    sweep,
    createController(parts, 'docker-image-record', reconciler, [
      watchInformer(records, {
        predicate: ignoreStatusChanges,
        map: (record) => rivalsOf(record, records.lister),
      }),
      watchInformer(images, { predicate: ignoreStatusChanges, map: recordsOf }),
      watchInformer(caches.catalogue, { map: allRecords }),
      concerned,
      hardware,
    ]),
  ];
}

/** The record that a PrepulledImage refers to, and the one that owns it. */
function recordsOf(image: PrepulledImage): readonly ObjectKey[] {
  const { namespace } = image.metadata;
  const owner = controllerOf(image);
  const owned = owner?.kind === dockerImageRecordType.kind ? [{ namespace, name: owner.name }] : [];
  return [...recordIndex(image).map(parseKey), ...owned];
}
