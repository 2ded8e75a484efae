// What a dashboard of ours may be: Grafana's own types, made strict where they
// leave panels open. dashboard_test.py puts the dashboard after this, as a literal,
// so that tsc refuses what no type has.
import type { Dashboard, GraphFieldConfig, Panel, RowPanel } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// As it is in JSON: of an enumeration its values.
type Json<T> = unknown extends T ? T
  : T extends string ? `${T}`
  : T extends number ? (`${T}` extends `${infer N extends number}` ? N : T)
  : T extends boolean | null | undefined ? T
  : T extends Array<infer U> ? Array<Json<U>>
  : { [K in keyof T]: Json<T[K]> };

type Source = { type: 'prometheus'; uid: '${datasource}' };
type Target = { refId: string; expr: string; legendFormat: string };
type Defaults = NonNullable<Panel['fieldConfig']>['defaults'];
type Fields<Custom> = { defaults: Omit<Defaults, 'custom'> & { unit: string; custom?: Custom }; overrides: [] };
type PanelOf<Type extends string, Options, Custom> = Json<
  Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource' | 'id' | 'title' | 'gridPos'> &
  Required<Pick<Panel, 'id' | 'title' | 'gridPos'>> &
  { type: Type; options: Options; fieldConfig: Fields<Custom>; targets: Target[]; datasource: Source }>;

type OurRow = Json<Omit<RowPanel, 'panels'> & { panels: [] }>;
type OurPanel = OurRow | PanelOf<'timeseries', TimeSeriesOptions, GraphFieldConfig> | PanelOf<'stat', StatOptions, never>;
export type OurDashboard = Json<Omit<Dashboard, 'panels' | 'uid' | 'title'> & Required<Pick<Dashboard, 'uid' | 'title'>>> &
  { panels: OurPanel[] };
