/** Every reason that a condition of ours can have, with one sentence for people; docs/spec is made from this file. */

/** A reason, and what it tells. */
export interface ReasonDoc {
  readonly reason: string;
  readonly doc: string;
}

/** Conditions that every kind has. */
export const SHARED_CONDITIONS = ['Ready', 'Reconciling', 'Stalled', 'CredentialsReady'] as const;
export const CONDITIONS = {
  ImageSource: [...SHARED_CONDITIONS, 'WebhookReady'],
  PrepulledImage: [...SHARED_CONDITIONS, 'Resolved', 'Prepulled'],
  DockerImageRecord: [
    ...SHARED_CONDITIONS,
    'Accepted',
    'Resolved',
    'Available',
    'InUse',
    'DeletionBlocked',
    'Schedulable',
  ],
} as const;
export type ConditionType = (typeof CONDITIONS)[keyof typeof CONDITIONS][number];

/** Of the reconcile machinery, for Ready, Reconciling and Stalled of every kind. */
export const RECONCILE_REASONS = [
  { reason: 'Succeeded', doc: 'All is as the spec wants it.' },
  { reason: 'Progressing', doc: 'Work for this generation has begun and is not finished.' },
  { reason: 'ProgressingWithRetry', doc: 'The last attempt failed; it is tried again with growing pauses.' },
  { reason: 'Suspended', doc: 'spec.suspend is true: no new work is done, the status may be out of date.' },
  {
    reason: 'ReconcileFailed',
    doc: 'Something failed that Larder does not know; the message and the log say what.',
  },
  {
    reason: 'InvalidSpec',
    doc: 'The spec contradicts itself in a way the API server could not see; a person must change it.',
  },
] as const satisfies readonly ReasonDoc[];
export type ReconcileReason = (typeof RECONCILE_REASONS)[number]['reason'];

/** Of a registry that did not answer as wished. */
export const REGISTRY_REASONS = [
  { reason: 'RegistryUnreachable', doc: 'No connection to the registry: name, port, network or proxy.' },
  { reason: 'RegistryTimeout', doc: 'The registry did not answer in time.' },
  { reason: 'RegistryUnavailable', doc: 'The registry answered with a server error.' },
  {
    reason: 'TooManyRequests',
    doc: 'The registry asks for fewer requests; the next attempt waits as long as it said.',
  },
  { reason: 'Unauthorized', doc: 'The registry does not know the credentials, or wants some.' },
  { reason: 'Forbidden', doc: 'The registry knows the credentials and refuses access to the repository.' },
  {
    reason: 'RepositoryNotFound',
    doc: 'The registry has no such repository, or hides it from these credentials.',
  },
  { reason: 'ManifestUnknown', doc: 'The repository has no such tag or digest.' },
  {
    reason: 'CertificateInvalid',
    doc: 'The certificate of the registry is not trusted; see access.caBundleRef.',
  },
  { reason: 'InvalidResponse', doc: 'The answer is not what a registry says, such as an HTML page.' },
  {
    reason: 'UnsupportedMediaType',
    doc: 'The manifest is of a kind that no current runtime pulls, such as schema 1.',
  },
  {
    reason: 'ListTooLarge',
    doc: 'The tag list is longer than spec.guard.maxTags or the limits of the client.',
  },
  {
    reason: 'PolicyRefused',
    doc: 'A request was not sent, because its target is not allowed; see --allow-cidr.',
  },
] as const satisfies readonly ReasonDoc[];
export type RegistryReason = (typeof REGISTRY_REASONS)[number]['reason'];

/** Of the objects that access names; for CredentialsReady and Ready. */
export const ACCESS_REASONS = [
  { reason: 'CredentialsFound', doc: 'Every object that access names is there and usable.' },
  { reason: 'NoCredentialsNeeded', doc: 'access names no credentials: the registry is asked anonymously.' },
  { reason: 'SecretNotFound', doc: 'A Secret that access names does not exist.' },
  { reason: 'SecretInvalid', doc: 'A Secret that access names has the wrong type or content.' },
  {
    reason: 'SecretAccessDenied',
    doc: 'Larder may not read Secrets of this namespace; the message has the command that allows it.',
  },
  {
    reason: 'SecretTypeUnusableByKubelet',
    doc: 'The kubelet ignores basic-auth Secrets: pulls need type kubernetes.io/dockerconfigjson.',
  },
  { reason: 'ServiceAccountNotFound', doc: 'The ServiceAccount that access names does not exist.' },
  { reason: 'CABundleInvalid', doc: 'The CA bundle that access names is missing or holds no certificate.' },
  { reason: 'IdentityUnavailable', doc: 'The workload identity of the cloud gave no token.' },
] as const satisfies readonly ReasonDoc[];
export type AccessReason = (typeof ACCESS_REASONS)[number]['reason'];

/** Of an ImageSource, beside the shared ones; for Ready, WebhookReady and events. */
export const IMAGE_SOURCE_REASONS = [
  {
    reason: 'ScanRejected',
    doc: 'The list lost more tags than spec.guard allows; the old result stays until it is confirmed.',
  },
  {
    reason: 'ChildConflict',
    doc: 'A PrepulledImage of the wanted name belongs to another controller and is left alone.',
  },
  { reason: 'InvalidPattern', doc: 'A regular expression or version range of the spec cannot be used.' },
  {
    reason: 'DigestsIncomplete',
    doc: 'Some digests could not be asked for; Ready is False only if a selected image has none. scan.warnings says why.',
  },
  {
    reason: 'DowngradeRefused',
    doc: 'The list is older than the last one; recommended and latest stay where they were.',
  },
  { reason: 'WebhookEnabled', doc: 'WebhookReady: push events are accepted at status.webhookPath.' },
  { reason: 'ImagesSelected', doc: 'Event: images were selected that were not before.' },
  { reason: 'ImagesRetired', doc: 'Event: images are no longer selected.' },
  { reason: 'TagsMoved', doc: 'Event: selected tags mean other digests now.' },
  { reason: 'RecommendedChanged', doc: 'Event: the recommended image is another one now.' },
] as const satisfies readonly ReasonDoc[];
export type ImageSourceReason =
  | ReconcileReason
  | RegistryReason
  | AccessReason
  | (typeof IMAGE_SOURCE_REASONS)[number]['reason'];

/** Of a PrepulledImage, for Ready, Prepulled and Resolved. */
export const PREPULLED_IMAGE_REASONS = [
  { reason: 'Stocked', doc: 'The image is on as many eligible nodes as spec.minReady asks.' },
  { reason: 'Stocking', doc: 'Fewer eligible nodes have the image than spec.minReady asks.' },
  { reason: 'AllNodes', doc: 'Prepulled: every eligible node has the image.' },
  {
    reason: 'NodesMissing',
    doc: 'Some eligible nodes lack the image; status.notPresent says which and why.',
  },
  {
    reason: 'NoEligibleNodes',
    doc: 'No node wants the image, or once it was stocked only nodes that joined a moment ago: Ready is True, Prepulled is False.',
  },
  { reason: 'DigestGiven', doc: 'Resolved: spec.image names the digest, nothing had to be asked.' },
  { reason: 'TagResolved', doc: 'Resolved: the registry said what the tag means.' },
  { reason: 'TagMoved', doc: 'Event: the tag of spec.image means another digest now.' },
  { reason: 'NoMatchingPlatform', doc: 'No platform of the image fits the nodes that want it.' },
  {
    reason: 'ImagePullFailed',
    doc: 'Several nodes could not pull the image and none could; attempts are held back.',
  },
  { reason: 'RecordNotFound', doc: 'spec.recordRef names a record that does not exist.' },
  {
    reason: 'RecordDeleting',
    doc: 'The record that spec.recordRef names is being deleted and takes no new references.',
  },
  { reason: 'SourceImage', doc: 'The image holds source code and is never prepulled.' },
  {
    reason: 'NamespaceLimitExceeded',
    doc: 'The namespace has more images or bytes than the operator allows it.',
  },
  {
    reason: 'EvictedRepeatedly',
    doc: 'Nodes removed the image three times within an hour; it is pulled again with growing pauses.',
  },
  {
    reason: 'AdmissionRefused',
    doc: 'Pull pods are refused by quota, admission policy or webhook; the message says by whom.',
  },
] as const satisfies readonly ReasonDoc[];
export type PrepulledImageReason =
  | ReconcileReason
  | RegistryReason
  | AccessReason
  | (typeof PREPULLED_IMAGE_REASONS)[number]['reason'];

/** Of a DockerImageRecord, for Accepted, Resolved, Available, InUse, DeletionBlocked and Schedulable. */
export const RECORD_REASONS = [
  { reason: 'Unique', doc: 'Accepted: no older record has the same name and version.' },
  {
    reason: 'DuplicateNameVersion',
    doc: 'An older record has the same name and version; this one is not served.',
  },
  { reason: 'DuplicatePK', doc: 'An older record has the same primary key; this one is not served.' },
  { reason: 'InvalidReference', doc: 'spec.image cannot be read as a reference.' },
  { reason: 'CatalogueComplete', doc: 'Resolved: the catalogue knows every name of the spec.' },
  {
    reason: 'CatalogueUnavailable',
    doc: 'The catalogue ConfigMap is missing or cannot be read; the last good one holds.',
  },
  { reason: 'UnknownCUDAVersion', doc: 'The catalogue has no such CUDA version.' },
  { reason: 'UnknownHardwareGeneration', doc: 'The catalogue has no such hardware generation.' },
  { reason: 'UnknownFramework', doc: 'The catalogue has no such framework.' },
  { reason: 'UnknownDomain', doc: 'The catalogue has no such domain.' },
  { reason: 'UnknownTask', doc: 'The catalogue has no such task.' },
  { reason: 'UnknownLicence', doc: 'The catalogue has no such licence.' },
  { reason: 'ManifestFound', doc: 'Available: the registry has the image.' },
  {
    reason: 'PlatformsMissing',
    doc: 'Available: the registry has the image, but not all that it should hold; the message says what is missing.',
  },
  { reason: 'Referenced', doc: 'InUse, DeletionBlocked: the objects in the message refer to the record.' },
  { reason: 'NoReferences', doc: 'Nothing refers to the record.' },
  {
    reason: 'ReferencesUnknown',
    doc: 'InUse: the objects that may refer to the record could not be listed; the message says why.',
  },
  { reason: 'NotDeleting', doc: 'DeletionBlocked: nobody asked to delete the record.' },
  {
    reason: 'DeletionBlocked',
    doc: 'Event: somebody wants to delete the record, and something refers to it.',
  },
  { reason: 'NodesEligible', doc: 'Schedulable: some nodes have the hardware and platform.' },
  { reason: 'NoEligibleNodes', doc: 'No node has the hardware and platform; the message counts why.' },
  { reason: 'SourceImage', doc: 'The image holds source code and runs nowhere.' },
  {
    reason: 'ChildConflict',
    doc: 'A PrepulledImage of the wanted name belongs to another controller and is left alone.',
  },
  {
    reason: 'TagMoved',
    doc: 'Event: the tag means another digest now; status.image says which and since when.',
  },
] as const satisfies readonly ReasonDoc[];
export type RecordReason =
  | ReconcileReason
  | RegistryReason
  | AccessReason
  | (typeof RECORD_REASONS)[number]['reason'];

/** Why a node lacks an image; status.notPresent[].reason of a PrepulledImage. */
export const NODE_REASONS = [
  { reason: 'NotVerified', doc: 'Unknown: the node shows too few images to tell; a cheap pull will.' },
  { reason: 'Pulling', doc: 'A pull pod is at work.' },
  { reason: 'PullSlow', doc: 'The pull takes longer than pull.timeout; nothing cancels it.' },
  { reason: 'NodeMute', doc: 'The kubelet has not started the pull pod.' },
  { reason: 'Queued', doc: 'Other images of this node come first.' },
  { reason: 'BudgetExhausted', doc: 'All pull slots of the operator, host or image are taken.' },
  { reason: 'CircuitOpen', doc: 'Other nodes failed to pull the image; this one does not try yet.' },
  { reason: 'ImagePullFailed', doc: 'The runtime could not pull the image; the message says why.' },
  { reason: 'ImageNotFound', doc: 'The registry told the node that it has no such image.' },
  { reason: 'PullUnauthorized', doc: 'The registry refused the pull secrets of the node.' },
  { reason: 'RegistryUnreachableFromNode', doc: 'The node cannot reach the registry.' },
  { reason: 'RegistryThrottled', doc: 'The registry asked the node for fewer requests.' },
  {
    reason: 'CertificateInvalid',
    doc: 'The node does not trust the certificate of the registry; nodes have their own configuration.',
  },
  { reason: 'DiskFull', doc: 'The disk of the node was full.' },
  { reason: 'RuntimeFailed', doc: 'The container runtime of the node failed.' },
  { reason: 'PodRefused', doc: 'The pull pod was refused by quota, admission or the kubelet.' },
  { reason: 'PodVanished', doc: 'The pull pod was deleted before it finished.' },
  { reason: 'Evicted', doc: 'The node removed the image; it is pulled again.' },
  { reason: 'EvictedRepeatedly', doc: 'The node removed the image three times within an hour.' },
  { reason: 'Cordoned', doc: 'Skipped: the node is cordoned.' },
  { reason: 'NotReady', doc: 'Skipped: the node is not ready.' },
  { reason: 'DiskPressure', doc: 'Skipped: the node is short of disk.' },
  { reason: 'Tainted', doc: 'Skipped: the node has a taint that spec.nodes does not tolerate.' },
  { reason: 'PlatformMismatch', doc: 'Skipped: the image has no platform for the node.' },
  {
    reason: 'DiskTooSmall',
    doc: 'Skipped: all wanted images would fill the disk; the message has the figures.',
  },
] as const satisfies readonly ReasonDoc[];
export type NodeReason = (typeof NODE_REASONS)[number]['reason'];
