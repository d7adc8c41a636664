/**
 * The ways in which PAI's answers differ from what its reference pages say, or from what a client would wish for. Some
 * are *true values* that the world is then full of (a status word, a missing StartedAt), others only a *form on the
 * wire* (a bare number, a trailing newline). Both are the same for an entity every time it is asked for.
 */
export interface Quirks {
  /** Wire: `\n` behind ids, times, Options and RuntimeInfo where sample pages show it. True: at the end of some names and messages. */
  readonly trailingNewlines: boolean;
  /** Wire: WorkspaceId, UserId, ParentUserId of about half the runs as bare JSON numbers. */
  readonly numericIds: boolean;
  /** True: RAM user ids of 18 to 19 digits. Wire: as bare JSON numbers, which JSON.parse would round. */
  readonly bigUserIds: boolean;
  /** True: NodeId of a run is the empty string until its workflow is initialised. */
  readonly emptyRootNode: boolean;
  /** True: some runs have no PipelineRunUri. */
  readonly missingUri: boolean;
  /** True: many node times have no fraction or no seconds. Wire: those are written `…:35Z` and `…THH:mmZ`. */
  readonly shortTimes: boolean;
  /** True: some nodes that ran have no StartedAt. */
  readonly missingStartedAt: boolean;
  /** True: status words that the reference pages do not list, one that nobody has documented among them. */
  readonly undocumentedStatuses: boolean;
  /** True: some nodes end as `Succeed` (sic). */
  readonly succeedNodes: boolean;
  /** Wire: Manifest, Arguments, Options, RuntimeInfo and Value of some entities are escaped twice. */
  readonly doubleEscapedJson: boolean;
  /** Wire: ListRuns has no TotalCount. */
  readonly totalCountMissing: boolean;
  /** True: many runs share a creation or modification time. Wire: such runs come in another order with every call. */
  readonly randomTieOrder: boolean;
  /** Wire: larger page sizes than this are silently cut; null: never. */
  readonly clampPageSize: number | null;
  /** Wire: ListPipelineRuns without SourceType lists the runs of UNKNOWN only, as its page can be read. */
  readonly sourceTypeDefaultsToUnknown: boolean;
  /** True: entities have fields that no reference page knows (`extra` in the model). */
  readonly unknownFields: boolean;
}

const NONE: Quirks = {
  trailingNewlines: false,
  numericIds: false,
  bigUserIds: false,
  emptyRootNode: false,
  missingUri: false,
  shortTimes: false,
  missingStartedAt: false,
  undocumentedStatuses: false,
  succeedNodes: false,
  doubleEscapedJson: false,
  totalCountMissing: false,
  randomTieOrder: false,
  clampPageSize: null,
  sourceTypeDefaultsToUnknown: false,
  unknownFields: false,
};

const ALL: Quirks = {
  trailingNewlines: true,
  numericIds: true,
  bigUserIds: true,
  emptyRootNode: true,
  missingUri: true,
  shortTimes: true,
  missingStartedAt: true,
  undocumentedStatuses: true,
  succeedNodes: true,
  doubleEscapedJson: true,
  totalCountMissing: true,
  randomTieOrder: true,
  clampPageSize: 50,
  sourceTypeDefaultsToUnknown: true,
  unknownFields: true,
};

export type QuirkChoice = 'all' | 'none' | Partial<Quirks>;

/** Fills in the quirks that are not named: off. */
export function resolveQuirks(choice: QuirkChoice = 'none'): Quirks {
  if (choice === 'all') return ALL;
  if (choice === 'none') return NONE;
  return { ...NONE, ...choice };
}
