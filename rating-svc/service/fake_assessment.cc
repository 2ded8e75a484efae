#include "rating-svc/service/fake_assessment.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "common/digest/bucket.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"

namespace starratings::service {
namespace {

constexpr int64_t kRevision = 7;
constexpr char kToken[] = "token-7";
constexpr char kPeriod[] = "2001-02";

grpc::Status Missing(const std::string& reason, const std::string& what) {
  return serving::ToGrpcStatus(status::Error(absl::StatusCode::kNotFound, reason, what));
}

void WriteSnapshot(evidence::v1::Snapshot& snapshot) {
  snapshot.set_revision(kRevision);
  snapshot.set_token(kToken);
}

void AddItem(const std::string& organisation, const std::string& period, const std::string& code,
             const std::string& level, evidence::v1::Dossier& dossier) {
  evidence::RecordedItem item;
  item.item.key = {organisation, period, code, ""};
  item.item.value = evidence::Level{level};
  item.item.source =
      std::make_shared<evidence::Source>(evidence::Source{"A source", "", "", false});
  item.item.digest = wire::ItemDigest(item.item);
  item.revision = 3;
  item.ordinal = 1;
  item.actor = "supplier";
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  wire::SourceWriter(sources).Write(item, *dossier.add_items());
}

}  // namespace

std::string SchemeText(const std::string& id, const std::string& version) {
  return absl::Substitute(R"(
    id: "$0" version: "$1" title: "A test"
    in_force { from: "2000-01-01" to: "2010-01-01" }
    scale { id: "quality" level: "poor" level: "fair" level: "good" }
    scale { id: "stars" level: "0" level: "1" level: "2" }
    scale { id: "list" level: "listed" level: "off" }
    input { code: "quality" scale: "quality" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }
    input {
      code: "special_measures.list_state" scale: "list" standing: true
      on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED
    }
    matrix {
      id: "table" from: "quality" output: "stars" to: "stars"
      row { when: "poor" then: "0" basis: BASIS_ASSUMED }
      row { when: "fair" then: "1" basis: BASIS_ASSUMED }
      row { when: "good" then: "2" basis: BASIS_ASSUMED }
    }
    result { value: "stars" title: "Stars" }
    transition {
      id: "special_measures" previous: "special_measures.list_state" result: "stars"
      listed_at_most: "0" basis: BASIS_ASSUMED
    })",
                          id, version);
}

std::string SchemeDigestOf(const std::string& text) {
  return digest::ToHex(*wire::SchemeDigest(*wire::ParseScheme(text)));
}

struct FakeAssessment::Evidence : assessment::v1::EvidenceService::Service {
  explicit Evidence(FakeAssessment& f) : fake(f) {}

  // Validates: `quality` must be one of its levels.
  grpc::Status SubmitEvidence(grpc::ServerContext* context,
                              const assessment::v1::SubmitEvidenceRequest* request,
                              assessment::v1::SubmitEvidenceResponse* /*response*/) override {
    fake.Note(*context);
    {
      absl::MutexLock lock(&fake.mutex_);
      fake.asked_.submits.push_back(*request);
    }
    status::FieldErrors errors;
    for (int i = 0; i < request->items_size(); ++i) {
      const evidence::v1::Value& value = request->items(i).item().value();
      if (!value.has_level() || value.level() != "splendid") continue;
      errors.Add(absl::StrCat("items[", i, "].item.value.level"), "must be a level of the code");
    }
    return serving::ToGrpcStatus(errors.ToStatus());
  }

  grpc::Status GetDossier(grpc::ServerContext* context,
                          const assessment::v1::GetDossierRequest* request,
                          assessment::v1::GetDossierResponse* response) override {
    fake.Note(*context);
    {
      const absl::MutexLock lock(&fake.mutex_);
      fake.asked_.dossiers.push_back(*request);
    }
    if (!fake.faults.dossier_status.ok()) {
      return serving::ToGrpcStatus(fake.faults.dossier_status);
    }
    const auto found =
        fake.dossiers_.find({digest::BucketOf(request->organisation()), request->organisation()});
    if (found == fake.dossiers_.end()) return Missing("ORGANISATION_NOT_FOUND", "not registered");
    *response->mutable_dossier() = found->second;
    response->mutable_sources()->Assign(fake.sources_.begin(), fake.sources_.end());
    WriteSnapshot(*response->mutable_snapshot());
    return grpc::Status::OK;
  }

  grpc::Status ExportDossiers(
      grpc::ServerContext* context, const assessment::v1::ExportDossiersRequest* request,
      grpc::ServerWriter<assessment::v1::ExportDossiersResponse>* writer) override {
    fake.Note(*context);
    {
      const absl::MutexLock lock(&fake.mutex_);
      fake.asked_.exports.push_back(*request);
    }
    for (const auto& block : Blocks(*request)) {
      if (!writer->Write(block)) break;
    }
    while (fake.faults.endless && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(2));
    if (context->IsCancelled()) {
      const absl::MutexLock lock(&fake.mutex_);
      ++fake.asked_.cancelled_exports;
    }
    return serving::ToGrpcStatus(fake.faults.export_status);
  }

  std::vector<assessment::v1::ExportDossiersResponse> Blocks(
      const assessment::v1::ExportDossiersRequest& request) {
    std::vector<evidence::v1::Dossier> chosen;
    const auto [first, end] = request.has_shard() ? digest::BucketsOfShard(request.shard().index(),
                                                                           request.shard().count())
                                                  : std::pair(0, digest::kBuckets);
    for (const auto& [place, dossier] : fake.dossiers_) {
      const bool after = !request.has_resume_after() ||
                         place > std::pair(static_cast<int>(request.resume_after().bucket()),
                                           request.resume_after().organisation());
      if (after && place.first >= first && place.first < end) chosen.push_back(dossier);
    }
    if (fake.faults.out_of_order) std::reverse(chosen.begin(), chosen.end());
    if (fake.faults.one_short && !chosen.empty()) chosen.pop_back();
    std::vector<assessment::v1::ExportDossiersResponse> blocks;
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (i % static_cast<size_t>(fake.block_size) == 0) {
        assessment::v1::ExportDossiersResponse& block = blocks.emplace_back();
        block.mutable_sources()->Assign(fake.sources_.begin(), fake.sources_.end());
        WriteSnapshot(*block.mutable_snapshot());
        block.set_total(static_cast<int64_t>(fake.dossiers_.size()));
      }
      *blocks.back().add_dossiers() = chosen[i];
    }
    return blocks;
  }

  FakeAssessment& fake;
};

struct FakeAssessment::Register : assessment::v1::RegisterService::Service {
  explicit Register(FakeAssessment& f) : fake(f) {}

  grpc::Status GetSchemeText(grpc::ServerContext* context,
                             const assessment::v1::GetSchemeTextRequest* request,
                             assessment::v1::GetSchemeTextResponse* response) override {
    fake.Note(*context);
    const absl::MutexLock lock(&fake.mutex_);
    fake.asked_.schemes.push_back(request->scheme());
    const auto text = fake.scheme_texts.find(request->scheme());
    if (text == fake.scheme_texts.end()) return Missing("SCHEME_NOT_REGISTERED", "no scheme");
    response->set_text(text->second);
    response->set_digest(SchemeDigestOf(text->second));
    return grpc::Status::OK;
  }

  FakeAssessment& fake;
};

struct FakeAssessment::Rounds : assessment::v1::RoundService::Service {
  explicit Rounds(FakeAssessment& f) : fake(f) {}

  grpc::Status GetRound(grpc::ServerContext* context,
                        const assessment::v1::GetRoundRequest* request,
                        assessment::v1::GetRoundResponse* response) override {
    fake.Note(*context);
    if (request->round() != fake.round_.id()) return Missing("ROUND_NOT_FOUND", "no such round");
    *response->mutable_round() = fake.round_;
    return grpc::Status::OK;
  }

  grpc::Status RecordRatings(grpc::ServerContext* context,
                             grpc::ServerReader<assessment::v1::RecordRatingsRequest>* reader,
                             assessment::v1::RecordRatingsResponse* response) override {
    fake.Note(*context);
    if (!fake.faults.record_status.ok()) return serving::ToGrpcStatus(fake.faults.record_status);
    *response->mutable_round() = fake.round_;
    response->mutable_round()->set_etag("etag-rated");
    response->mutable_snapshot()->set_revision(kRevision + 1);
    response->mutable_round()->set_round_digest(fake.faults.earlier_digest);
    if (!fake.faults.earlier_digest.empty()) return grpc::Status::OK;
    assessment::v1::RecordRatingsRequest request;
    while (reader->Read(&request)) {
      const absl::MutexLock lock(&fake.mutex_);
      fake.asked_.records.push_back(request);
    }
    response->mutable_round()->set_round_digest(request.commit().round_digest());
    return grpc::Status::OK;
  }

  FakeAssessment& fake;
};

FakeAssessment::FakeAssessment()
    : evidence_(std::make_unique<Evidence>(*this)),
      register_(std::make_unique<Register>(*this)),
      rounds_(std::make_unique<Rounds>(*this)) {
  evidence::v1::Source& source = sources_.emplace_back();
  source.set_id("s1");
  source.set_title("A source");
  grpc::ServerBuilder builder;
  // Not in-process: that transport never finishes a write that nobody reads.
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(evidence_.get());
  builder.RegisterService(register_.get());
  builder.RegisterService(rounds_.get());
  server_ = builder.BuildAndStart();
}

FakeAssessment::~FakeAssessment() { server_->Shutdown(); }

std::shared_ptr<grpc::Channel> FakeAssessment::Channel() {
  return grpc::CreateChannel(absl::StrCat("127.0.0.1:", port_), grpc::InsecureChannelCredentials());
}

void FakeAssessment::Add(const std::string& organisation, const std::string& level,
                         const std::string& list_state) {
  evidence::v1::Dossier& dossier = dossiers_[{digest::BucketOf(organisation), organisation}];
  dossier.mutable_organisation()->set_id(organisation);
  dossier.mutable_organisation()->set_name("The " + organisation);
  dossier.mutable_organisation()->set_kind("council");
  dossier.set_period(kPeriod);
  if (!level.empty()) AddItem(organisation, kPeriod, "quality", level, dossier);
  if (!list_state.empty()) {
    AddItem(organisation, "standing", "special_measures.list_state", list_state, dossier);
  }
}

void FakeAssessment::OpenRound(const std::string& id, const std::string& version) {
  round_.set_id("r");
  round_.set_state(assessment::v1::ROUND_STATE_OPEN);
  round_.set_etag("etag-1");
  round_.set_period(kPeriod);
  round_.set_date("2002-05-30");
  round_.mutable_scheme()->set_id(id);
  round_.mutable_scheme()->set_version(version);
}

void FakeAssessment::FreezeRound(const std::string& digest) {
  OpenRound("test", "1");
  round_.set_state(assessment::v1::ROUND_STATE_FROZEN);
  round_.mutable_scheme()->set_digest(digest);
  WriteSnapshot(*round_.mutable_frozen());
  round_.set_organisation_count(static_cast<int64_t>(dossiers_.size()));
}

FakeAssessment::Asked FakeAssessment::asked() {
  const absl::MutexLock lock(&mutex_);
  return asked_;
}

void FakeAssessment::Note(const grpc::ServerContext& context) {
  const auto actor = context.client_metadata().find("starratings-actor");
  const absl::MutexLock lock(&mutex_);
  asked_.actors.push_back(actor == context.client_metadata().end()
                              ? ""
                              : std::string(actor->second.data(), actor->second.size()));
}

}  // namespace starratings::service
