import type {
  ExperimentRun,
  Instant,
  JsonDocument,
  NodeOutput,
  PipelineRun,
  PipelineRunStatus,
  RunMetric,
  Workspace,
} from '../domain/entities.js';
import { instantToMillis } from '../domain/instant.js';
import type { Quirks } from './quirks.js';
import type { WorldDetails } from './world/details.js';
import type { WorldNode } from './world/nodes.js';

type Field = string;

/** A JSON string; the common case (nothing to escape, no lone surrogate) without JSON.stringify. */
const text = (value: string): string => (/^[ !#-[\]-~]*$/.test(value) ? `"${value}"` : JSON.stringify(value));

/** `"Name":…` with a comma in front, or nothing for null: PAI leaves out what it does not know. */
const field = (name: string, value: string | null): Field => (value === null ? '' : `,"${name}":${text(value)}`);

const raw = (name: string, json: string | null): Field => (json === null ? '' : `,"${name}":${json}`);

/** The members of `extra`, an object, as further members. */
const extras = (extra: string | null): Field => {
  const members = extra === null ? '' : extra.trim().slice(1, -1).trim();
  return members === '' ? '' : `,${members}`;
};

/** An object of fields that each begin with a comma. */
const object = (fields: string): string => `{${fields.slice(1)}}`;

const array = (items: readonly string[]): string => `[${items.join(',')}]`;

/** The shortest usual form: milliseconds where they are exact, else the six digits of the model. */
const isoTime = (instant: Instant): string => (instant.endsWith('000Z') ? `${instant.slice(0, 23)}Z` : instant);

/** What decides a quirk for an entity: always the same for the same id. */
const idBits = (id: string): number => id.charCodeAt(7) + id.charCodeAt(id.length - 1);

const MOST_KNOWN = 10_000;

/**
 * Remembers the text of fields with few different values (a status, a user, a pipeline): one look-up instead of a check for
 * characters to escape and three concatenations.
 */
class KnownFields {
  private readonly texts = new Map<string, string>();
  private readonly make: (value: string) => Field;

  constructor(make: (value: string) => Field) {
    this.make = make;
  }

  get(value: string | null): Field {
    if (value === null) return '';
    let known = this.texts.get(value);
    if (known === undefined) {
      if (this.texts.size >= MOST_KNOWN) this.texts.clear();
      this.texts.set(value, (known = this.make(value)));
    }
    return known;
  }
}

/** The JSON text of entities, built by hand: exact numbers of any size, quirks, and no intermediate objects. */
export class Wire {
  private readonly quirks: Quirks;
  private readonly newline: string;
  /** As it stands inside a JSON string. */
  private readonly escapedNewline: string;
  private readonly known = {
    Status: new KnownFields((value) => field('Status', value)),
    UserId: new KnownFields((value) => this.account('UserId', value, false)),
    UserIdBare: new KnownFields((value) => this.account('UserId', value, true)),
    ParentUserId: new KnownFields((value) => this.account('ParentUserId', value, false)),
    ParentUserIdBare: new KnownFields((value) => this.account('ParentUserId', value, true)),
    WorkspaceId: new KnownFields((value) => this.account('WorkspaceId', value, false)),
    WorkspaceIdBare: new KnownFields((value) => this.account('WorkspaceId', value, true)),
    SourceType: new KnownFields((value) => field('SourceType', value)),
    SourceId: new KnownFields((value) => this.identifier('SourceId', value)),
    PipelineId: new KnownFields((value) => this.identifier('PipelineId', value)),
    Accessibility: new KnownFields((value) => field('Accessibility', value)),
  };

  constructor(quirks: Quirks) {
    this.quirks = quirks;
    this.newline = quirks.trailingNewlines ? '\n' : '';
    this.escapedNewline = quirks.trailingNewlines ? '\\n' : '';
  }

  /** An item of ListPipelineRuns. Pages of these are what benchmarks ask for: no long text is cut or copied here. */
  pipelineRun(run: PipelineRun): string {
    const numeric = this.quirks.numericIds && idBits(run.pipelineRunId) % 2 === 0;
    return (
      `{"PipelineRunId":${text(run.pipelineRunId + this.newline)}` +
      field('Name', run.name) +
      this.known.Status.get(run.status) +
      (numeric ? this.known.UserIdBare : this.known.UserId).get(run.userId) +
      (numeric ? this.known.ParentUserIdBare : this.known.ParentUserId).get(run.parentUserId) +
      this.runTimes(run) +
      this.identifier('NodeId', run.nodeId) +
      raw('Duration', run.duration) +
      (numeric ? this.known.WorkspaceIdBare : this.known.WorkspaceId).get(run.workspaceId) +
      this.commonTail(run) +
      '}'
    );
  }

  /** The members of GetPipelineRun's answer behind RequestId; `details` without a manifest when not Verbose. */
  pipelineRunDetails(run: PipelineRun, details: WorldDetails): string {
    const id = run.pipelineRunId;
    const numeric = this.quirks.bigUserIds && idBits(id) % 2 === 0;
    return (
      this.identifier('PipelineRunId', id) +
      field('Name', run.name) +
      field('Status', run.status) +
      this.document('Manifest', details.manifest, `${id}m`) +
      this.document('Arguments', details.arguments, `${id}a`) +
      this.account('UserId', run.userId, numeric, this.newline) +
      this.account('ParentUserId', run.parentUserId, numeric, this.newline) +
      this.runTimes(run) +
      this.identifier('NodeId', run.nodeId) +
      raw('Duration', run.duration) +
      field('WorkspaceId', run.workspaceId) +
      this.document('Options', details.options, `${id}o`, this.newline) +
      this.commonTail(run)
    );
  }

  /** An item of `PipelineRuns` in ListPipelineRunsStatus. */
  pipelineRunStatus(run: PipelineRunStatus): string {
    const { numericIds } = this.quirks;
    return object(
      field('PipelineRunId', run.pipelineRunId) +
        field('Status', run.status) +
        field('Name', run.name) +
        this.account('UserId', run.userId, numericIds) +
        this.account('ParentUserId', run.parentUserId, numericIds) +
        field('NodeId', run.nodeId) +
        field('SourceId', run.sourceId) +
        raw('IsDeleted', run.isDeleted === null ? null : String(run.isDeleted)) +
        extras(run.extra),
    );
  }

  /** An item of `Nodes` in ListPipelineRunsStatus. */
  nodeStatus(node: WorldNode): string {
    return object(
      field('PipelineRunId', node.pipelineRunId) +
        field('NodeId', node.nodeId) +
        field('Status', node.status) +
        raw('InputArtifactArchived', node.inputArtifactArchived === null ? null : String(node.inputArtifactArchived)) +
        raw(
          'OutputArtifactArchived',
          node.outputArtifactArchived === null ? null : String(node.outputArtifactArchived),
        ) +
        field('StartedAt', this.nodeTime(node.startedAt)) +
        field('FinishedAt', this.nodeTime(node.finishedAt)) +
        field('NodeName', node.nodeName) +
        extras(node.extra),
    );
  }

  /** An item of ListPipelineRunNodeStatus. */
  node(node: WorldNode): string {
    return object(
      field('NodeId', node.nodeId) +
        field('NodeName', node.nodeName) +
        field('Status', node.status) +
        field('StartedAt', this.nodeTime(node.startedAt)) +
        field('FinishedAt', this.nodeTime(node.finishedAt)) +
        this.document('RuntimeInfo', node.runtimeInfo, node.nodeId, this.newline) +
        extras(node.extra),
    );
  }

  output(output: NodeOutput): string {
    return object(
      field('Name', output.name) +
        field('Type', output.type) +
        raw('Metadata', output.metadata) +
        field('GmtCreateTime', output.gmtCreateTime === null ? null : isoTime(output.gmtCreateTime)) +
        field('Id', output.id) +
        field('Producer', output.producer) +
        this.identifier('NodeId', output.nodeId) +
        field('PipelineRunId', output.pipelineRunId) +
        this.document('Value', output.value, output.id) +
        raw('ExpandedArtifactIndex', output.expandedArtifactIndex) +
        field('ExpandableArtifactName', output.expandableArtifactName) +
        extras(output.extra),
    );
  }

  /** An item of ListRuns; Params, Labels and Metrics only when Verbose. */
  experimentRun(run: ExperimentRun, verbose: boolean): string {
    const label = (item: NonNullable<ExperimentRun['labels']>[number]): string =>
      object(
        field('Value', item.value) +
          field('RunId', run.runId) +
          field('GmtCreateTime', item.gmtCreateTime === null ? null : isoTime(item.gmtCreateTime)) +
          field('GmtModifiedTime', item.gmtModifiedTime === null ? null : isoTime(item.gmtModifiedTime)) +
          field('Key', item.key),
      );
    const lists =
      raw(
        'Params',
        run.params && array(run.params.map((item) => object(field('Value', item.value) + field('Key', item.key)))),
      ) +
      raw('Labels', run.labels && array(run.labels.map(label))) +
      raw('Metrics', run.metrics && array(run.metrics.map((metric) => this.metric(metric))));
    const numeric = this.quirks.numericIds && idBits(run.runId) % 2 === 0;
    return object(
      field('Accessibility', run.accessibility) +
        field('SourceId', run.sourceId) +
        field('SourceType', run.sourceType) +
        this.account('WorkspaceId', run.workspaceId, numeric) +
        (verbose ? lists : '') +
        field('GmtModifiedTime', run.gmtModifiedTime === null ? null : isoTime(run.gmtModifiedTime)) +
        field('Name', run.name) +
        this.account('OwnerId', run.ownerId, numeric) +
        field('ExperimentId', run.experimentId) +
        this.account('UserId', run.userId, numeric) +
        field('RunId', run.runId) +
        field('GmtCreateTime', run.gmtCreateTime === null ? null : isoTime(run.gmtCreateTime)) +
        field('RequestId', run.requestId) +
        extras(run.extra),
    );
  }

  /** A value that is not a JSON number (NaN, Infinity) goes out as a string. */
  metric(metric: RunMetric): string {
    const { value } = metric;
    const finite = value !== null && Number.isFinite(Number(value));
    return object(
      (finite ? raw('Value', value) : field('Value', value)) +
        raw('Step', metric.step) +
        raw('Timestamp', String(instantToMillis(metric.timestamp))) +
        field('Key', metric.key),
    );
  }

  workspace(workspace: Workspace, isDefault: boolean): string {
    return object(
      this.account('WorkspaceId', workspace.workspaceId, this.quirks.numericIds) +
        field('WorkspaceName', workspace.workspaceName) +
        field('DisplayName', workspace.workspaceName) +
        raw('IsDefault', String(isDefault)) +
        field('Status', 'ENABLED') +
        raw('EnvTypes', '["prod"]'),
    );
  }

  private runTimes(run: PipelineRun): Field {
    return this.time('StartedAt', run.startedAt) + this.time('FinishedAt', run.finishedAt);
  }

  private commonTail(run: PipelineRun): Field {
    return (
      field('Message', run.message) +
      this.known.SourceType.get(run.sourceType) +
      this.known.SourceId.get(run.sourceId) +
      this.time('GmtCreateTime', run.gmtCreateTime) +
      this.time('GmtModifiedTime', run.gmtModifiedTime) +
      this.known.PipelineId.get(run.pipelineId) +
      this.known.Accessibility.get(run.accessibility) +
      field('PipelineRunUri', run.pipelineRunUri) +
      extras(run.extra)
    );
  }

  private identifier(name: string, value: string | null): Field {
    return field(name, value === null || value === '' ? value : value + this.newline);
  }

  private time(name: string, value: Instant | null): Field {
    return value === null ? '' : `,"${name}":"${isoTime(value)}${this.escapedNewline}"`;
  }

  /** A number as digits, exactly, when `numeric` or too big for a double; else a string. */
  private account(name: string, value: string | null, numeric: boolean, newline = ''): Field {
    if (value === null) return '';
    const bare = /^[1-9][0-9]*$/.test(value) && (numeric || (this.quirks.bigUserIds && value.length > 16));
    return bare ? `,"${name}":${value}` : field(name, value + newline);
  }

  /** Shorter where nothing is lost: no fraction, or no seconds either. */
  private nodeTime(value: Instant | null): string | null {
    if (value === null || !this.quirks.shortTimes) return value === null ? null : isoTime(value);
    if (value.endsWith(':00.000000Z')) return `${value.slice(0, 16)}Z`;
    if (value.endsWith('.000000Z')) return `${value.slice(0, 19)}Z`;
    return isoTime(value);
  }

  /**
   * A JSON document inside a string. Escaped twice it is either a JSON string in the string, or, as the sample of
   * RuntimeInfo shows it, the same without its quotes.
   */
  private document(name: string, value: JsonDocument, id: string, newline = ''): Field {
    if (value.json === null) return field(name, value.raw);
    const form = this.quirks.doubleEscapedJson ? idBits(id) % 4 : 0;
    if (form === 1) return field(name, JSON.stringify(value.json).slice(1, -1) + newline);
    if (form === 2) return field(name, JSON.stringify(value.json) + newline);
    return field(name, value.json + newline);
  }
}

export { array as jsonArray, field as jsonField };
