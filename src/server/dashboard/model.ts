/** What the pages show, free of Kubernetes objects: views are functions of these values and of the moment. */

/** In the words of the pages: Ready, at work, in need of a person, suspended, or not known yet. */
export const HEALTHS = ['Ready', 'Working', 'Failing', 'Suspended', 'Unknown'] as const;
/** One of `HEALTHS`. */
export type Health = (typeof HEALTHS)[number];

/** An object by its address. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** How an object is, and why. */
export interface HealthView {
  readonly health: Health;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch; when the health became what it is. */
  readonly since?: number | undefined;
}

/** One ImageSource in the list. Times are milliseconds since the epoch. */
export interface SourceView extends ObjectName, HealthView {
  /** registry/repository */
  readonly image: string;
  readonly recommended?: string | undefined;
  readonly selected: number;
  readonly prepulled: number;
  readonly known?: number | undefined;
  readonly lastScan?: number | undefined;
  readonly nextScan?: number | undefined;
}

/** One image: selected by a source, or made by a person. */
export interface ImageView {
  readonly tag: string;
  /** For people, such as "Weekly 2026_47". */
  readonly title: string;
  readonly type?: string | undefined;
  readonly digest?: string | undefined;
  readonly aliases: readonly string[];
  /** Names of the rules that keep it. */
  readonly rules: readonly string[];
  /** For people, such as "9.8 GiB"; compressed. */
  readonly size?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly date?: number | undefined;
  readonly prepulled: boolean;
  /** Present and eligible nodes; absent if nothing is stocked. */
  readonly nodes?: { readonly present: number; readonly eligible: number } | undefined;
  /** The PrepulledImage, if there is one. */
  readonly object?: ObjectName | undefined;
}

/** recommended, latestWeekly, … as a source's status names them. */
export interface NamedImageView {
  readonly label: string;
  readonly tag: string;
  readonly title: string;
  readonly prepulled: boolean;
}

/** A condition as stored. */
export interface ConditionView {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly since?: number | undefined;
}

/** Everything on the page of one source. */
export interface SourceDetail {
  readonly source: SourceView;
  readonly named: readonly NamedImageView[];
  readonly images: readonly ImageView[];
  /** The list is longer than shown. */
  readonly truncated: boolean;
  readonly conditions: readonly ConditionView[];
}

/** What is known of an image on a node. NotWanted: the node is none of its business. */
export const CELL_STATES = [
  'Present',
  'Pulling',
  'Waiting',
  'Failed',
  'Skipped',
  'Unknown',
  'NotWanted',
] as const;
/** One of `CELL_STATES`. */
export type CellState = (typeof CELL_STATES)[number];

/** An image that is not on a node that wants it. */
export interface MissingView {
  readonly node: string;
  readonly image: ObjectName;
  /** repository:tag, as short as it stays clear. */
  readonly imageTitle: string;
  readonly state: CellState;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  readonly lastAttempt?: number | undefined;
  readonly nextAttempt?: number | undefined;
}

/** One node. */
export interface NodeView {
  readonly name: string;
  readonly ready: boolean;
  /** Cordoned, tainted, under pressure: in words. */
  readonly remarks: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly architecture: string;
}

/** Everything on the page of one node. */
export interface NodeDetail {
  readonly node: NodeView;
  readonly present: readonly {
    readonly image: ObjectName;
    readonly title: string;
    readonly size?: string | undefined;
  }[];
  readonly missing: readonly MissingView[];
}

/** Everything on the page of one PrepulledImage. */
export interface ImageDetail extends HealthView {
  readonly object: ObjectName;
  readonly reference: string;
  readonly image: ImageView;
  readonly conditions: readonly ConditionView[];
  readonly missing: readonly MissingView[];
  readonly presentOn: readonly string[];
}

/** A column of the matrix. */
export interface MatrixImage {
  readonly object: ObjectName;
  /** Unique enough for a column head: the tag. */
  readonly tag: string;
  readonly repository: string;
}

/** Images × nodes; `cells[n][i]` is image i on node n. */
export interface Matrix {
  readonly images: readonly MatrixImage[];
  readonly nodes: readonly NodeView[];
  readonly cells: readonly (readonly CellState[])[];
}

/** A Kubernetes Event of ours. */
export interface EventView {
  readonly at: number;
  readonly isWarning: boolean;
  readonly reason: string;
  readonly message: string;
  /** Kind and address of what it is about. */
  readonly kind: string;
  readonly object: ObjectName;
}

/** The front page. */
export interface Overview {
  readonly sources: readonly SourceView[];
  /** PrepulledImages that no source made. */
  readonly others: readonly (ImageView & HealthView)[];
  readonly nodes: { readonly all: number; readonly ready: number };
  /** Pairs of image and eligible node. */
  readonly pairs: { readonly eligible: number; readonly present: number; readonly failed: number };
  readonly pulling: readonly MissingView[];
  /** Undefined: they could not be read. */
  readonly events: readonly EventView[] | undefined;
}
