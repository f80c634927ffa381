/**
 * `tokenkeep/doctor`: finds and repairs problems in a token cache. Re-exports only.
 *
 * @module tokenkeep/doctor
 */
export {
  accountsToExamine,
  examine,
  type ExamineOptions,
  type FindingToRepair,
  repair,
  type Repair,
  type RepairUndo,
  undoRepair,
} from './doctor.ts';
export {
  bySeverity,
  type Cause,
  type Difference,
  type EntityReference,
  type Finding,
  FINDING_KINDS,
  type FindingKind,
  type Library,
} from './finding.ts';
