/** Kinds and objects of no meaning, for tests of the runtime. */

import type { CommonStatus } from '../../src/kube/conclusion.ts';
import type { LogFields, Logger } from '../../src/kube/logger.ts';
import type { KubeObject, ResourceType } from '../../src/kube/resource.ts';
import type { ResourceRef } from '../support/fake-api-store.ts';

export interface WidgetStatus extends CommonStatus {
  readonly size?: number;
  readonly note?: string;
}

export interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number; readonly suspend?: boolean };
  readonly status?: WidgetStatus;
}

export const WIDGETS: ResourceType<Widget> = {
  group: 'test.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

export const WIDGET_REF: ResourceRef = { group: 'test.dev', version: 'v1', plural: 'widgets' };

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const CONFIG_MAPS: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

export const CONFIG_MAP_REF: ResourceRef = { group: '', version: 'v1', plural: 'configmaps' };

export interface WidgetManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Widget['spec'];
}

export function widget(
  name: string,
  spec: Widget['spec'] = { size: 1 },
  namespace = 'default',
): WidgetManifest {
  return { apiVersion: 'test.dev/v1', kind: 'Widget', metadata: { name, namespace }, spec };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
export function memoryLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  function build(base: LogFields): Logger {
    function write(level: LogLine['level']) {
      return (message: string, fields: LogFields = {}) => {
        lines.push({ level, message, fields: { ...base, ...fields } });
      };
    }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => build({ ...base, ...fields }),
    };
  }
  return { log: build({}), lines };
}
