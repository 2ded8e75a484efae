#include <cassert>

#include "common/wire/evidence_wire.h"
#include "rating-svc/wire/rating_wire.h"

namespace starratings::wire {
namespace {

// Of Trace: what a reader of stored traces would have to know.
constexpr int kTraceFormat = 1;

rating::v1::StepKind KindOf(const rating::StepFinding& step) {
  switch (step.kind) {
    case scheme::StageKind::kSum:
      return rating::v1::STEP_KIND_SUM;
    case scheme::StageKind::kBand:
      return rating::v1::STEP_KIND_BAND;
    case scheme::StageKind::kMatrix:
      return rating::v1::STEP_KIND_MATRIX;
    case scheme::StageKind::kCount:
      return rating::v1::STEP_KIND_COUNT;
    case scheme::StageKind::kAdjust:
      return rating::v1::STEP_KIND_ADJUST;
    case scheme::StageKind::kLimit:
      return step.veto    ? rating::v1::STEP_KIND_VETO
             : step.floor ? rating::v1::STEP_KIND_FLOOR
                          : rating::v1::STEP_KIND_CAP;
  }
  assert(false);  // The switch is exhaustive.
  return rating::v1::STEP_KIND_UNSPECIFIED;
}

void Write(const rating::ReadingFinding& reading, TraceDetail detail,
           rating::v1::Reading& message) {
  message.set_code(reading.code);
  message.set_value(reading.value);
  message.set_absent(rating::ToString(reading.absent));
  message.set_assumed(reading.assumed);
  message.set_from(reading.from);
  if (reading.item == nullptr) return;
  // A reading carries its own source, so that it can be shown alone.
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  SourceWriter(sources).Write(*reading.item, *message.mutable_item());
  if (detail == TraceDetail::kFull) {
    message.mutable_source()->Swap(sources.Mutable(0));
  } else {
    message.mutable_item()->mutable_item()->clear_source_id();
  }
}

void Write(const rating::TestFinding& test, rating::v1::Test& message) {
  message.set_value(test.value);
  message.set_found(test.found);
  message.set_condition(test.condition);
  message.set_held(test.held);
  message.set_absent(rating::ToString(test.absent));
  message.set_margin(test.margin);
}

void Write(const rating::StepFinding& step, TraceDetail detail, rating::v1::Step& message) {
  message.set_rule_id(step.rule_id);
  message.set_kind(KindOf(step));
  message.set_target(step.target);
  message.set_before(step.before);
  message.set_after(step.after);
  message.set_fired(step.fired);
  message.set_decided(step.decided);
  message.set_binding(step.binding);
  for (const rating::TestFinding& test : step.tests) Write(test, *message.add_tests());
  message.set_basis(static_cast<scheme::v1::Basis>(step.basis));
  for (const std::string& level : step.allowed) message.add_allowed(level);
  if (detail != TraceDetail::kFull) return;
  for (const scheme::Citation& citation : step.citations) {
    scheme::v1::Citation& out = *message.add_citations();
    out.set_source(citation.source);
    out.set_quote(citation.quote);
  }
  message.set_sentence(step.sentence);
}

}  // namespace

void Write(const rating::Explanation& explanation, const scheme::Scheme& scheme, TraceDetail detail,
           rating::v1::Trace& message) {
  message.set_format(kTraceFormat);
  for (const rating::ReadingFinding& reading : explanation.readings) {
    Write(reading, detail, *message.add_readings());
  }
  for (const rating::StepFinding& step : explanation.steps) {
    Write(step, detail, *message.add_steps());
  }
  if (detail != TraceDetail::kFull) return;
  for (const std::string& sentence : explanation.sentences) message.add_sentences(sentence);
  for (const scheme::Publication& publication : scheme.publications) {
    scheme::v1::Publication& out = *message.add_publications();
    out.set_id(publication.id);
    out.set_title(publication.title);
    out.set_date(publication.date);
    out.set_uri(publication.uri);
  }
}

}  // namespace starratings::wire
