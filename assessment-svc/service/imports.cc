#include "assessment-svc/service/imports.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/serving/log.h"

namespace starratings::service {
namespace {

constexpr absl::Duration kWriteEvery = absl::Seconds(5);
constexpr absl::Duration kWriteWithin = absl::Seconds(5);

void LogIfError(const absl::Status& status) {
  if (status.ok()) return;
  serving::LogError("an import under way could not be noted",
                    {{"error", std::string(status.message())}});
}

}  // namespace

ImportNotes::ImportNotes(store::EvidenceStore& store, serving::Pool& pool, std::string actor,
                         const assessment::v1::IngestEvidenceRequest::Begin& begin)
    : store_(store), pool_(pool) {
  note_.id = begin.import_id();
  note_.actor = std::move(actor);
  note_.title = begin.title();
  note_.items = begin.items_before();
  note_.items_total = begin.items_total();
}

void ImportNotes::Begin(std::function<void()> then) { Write(std::move(then)); }

void ImportNotes::Add(int64_t items) {
  note_.items += items;
  if (absl::Now() - written_at_ >= kWriteEvery) Write([] {});
}

void ImportNotes::Write(std::function<void()> then) {
  written_at_ = absl::Now();
  note_.seen_us = absl::ToUnixMicros(written_at_);
  Queue([&store = store_,
         note = note_] { return store.NoteImport(note, absl::Now() + kWriteWithin); },
        std::move(then));
}

void ImportNotes::End(std::function<void()> then) {
  Queue([&store = store_,
         id = note_.id] { return store.ForgetImport(id, absl::Now() + kWriteWithin); },
        std::move(then));
}

void ImportNotes::Queue(std::function<absl::Status()> work, std::function<void()> then) {
  const bool queued = pool_.Run([work = std::move(work), then] {
    LogIfError(work());
    then();
  });
  if (queued) return;
  LogIfError(absl::ResourceExhaustedError("too many notes are waiting"));
  then();
}

absl::StatusOr<std::vector<store::ImportNote>> ImportsUnderWay(const store::EvidenceStore& store,
                                                               absl::Time deadline) {
  return store.ListImports(absl::ToUnixMicros(absl::Now() - kImportSilentMost), deadline);
}

}  // namespace starratings::service
