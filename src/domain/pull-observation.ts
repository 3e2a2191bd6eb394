/** What is counted of pulls: a narrow port, so that whoever exports metrics need not know how pulling works. */

/** One image that one node has pulled. Labels are bounded: namespaces and registry hosts, never nodes or images. */
export interface PullObservation {
  readonly namespace: string;
  readonly host: string;
  /** The pull itself. */
  readonly seconds: number;
  /** Before it, because kubelets pull one image at a time. */
  readonly waitedSeconds: number;
  /** As the node counts them: compressed or not, depending on its runtime. */
  readonly bytes: number;
}

export interface PullObserver {
  pulled(observation: PullObservation): void;
  /** `reason` is one of the closed list of `notPresent` entries. */
  failed(reason: string): void;
}
