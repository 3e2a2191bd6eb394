/** Names of our API group: what every object, label and annotation of Larder is called. */

/** API group of all our kinds. */
export const GROUP = 'larder.dev';
export const VERSION = 'v1alpha1';
/** As objects state it. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** The short name of all our kinds together: `kubectl get larder`. */
export const CATEGORY = 'larder';

/** Our kinds. */
export const KINDS = ['ImageSource', 'PrepulledImage', 'DockerImageRecord'] as const;
/** One of `KINDS`. */
export type Kind = (typeof KINDS)[number];

/** REST path segment of each kind. */
export const PLURALS = {
  ImageSource: 'imagesources',
  PrepulledImage: 'prepulledimages',
  DockerImageRecord: 'dockerimagerecords',
} as const satisfies Record<Kind, string>;

/** Annotations that people and other programs set. */
export const ANNOTATIONS = {
  /** Any new value asks for an immediate pass; answered in status.lastHandledReconcileAt. */
  reconcileRequestedAt: `${GROUP}/reconcile-requested-at`,
  /** Flux's name of the same request, so that `flux reconcile` style tools work. */
  fluxReconcileRequestedAt: 'reconcile.fluxcd.io/requestedAt',
  /** On an ImageSource: tags that push events named and the leader has not looked at; see domain/pushed-tags.ts. */
  pushedTags: `${GROUP}/pushed-tags`,
  /** On an ImageSource: the one that the spawner API serves when none is named. */
  defaultSource: `${GROUP}/default-source`,
  /** On a workload: the metadata.name of the DockerImageRecord it uses, in its own namespace. */
  record: `${GROUP}/record`,
} as const;

/** Labels that Larder writes on its objects. */
export const LABELS = {
  /** On a PrepulledImage: metadata.name of the ImageSource that made it. */
  source: `${GROUP}/source`,
  /** On a pull pod: its role, so that selectors and admission policies find it. */
  component: `${GROUP}/component`,
  /** On a DockerImageRecord: its primary key; survives backups that drop the status. */
  pk: `${GROUP}/pk`,
  /** On a Secret with a registry login: metadata.name of the DockerImageRecord it was made for. */
  record: `${GROUP}/record`,
  domain: `${GROUP}/domain`,
  framework: `${GROUP}/framework`,
  minHardware: `${GROUP}/min-hardware`,
  licence: `${GROUP}/licence`,
  /** Prefix of one label a task: `task.larder.dev/Train: ""`. */
  taskPrefix: `task.${GROUP}/`,
} as const;

/** `reportingComponent` of the Events that the operator writes. */
export const EVENT_CONTROLLER = `${GROUP}/operator`;

/** Holds a referenced DockerImageRecord until nobody refers to it. */
export const RECORD_FINALIZER = `${GROUP}/reference-protection`;
