// What the tests of evidence share.
#pragma once

#include <string>
#include <vector>

#include "assessment-svc/service/service_fixture.h"

namespace starratings::service {

class EvidenceTest : public ServiceTest {
 protected:
  explicit EvidenceTest(const StreamSlots::Limits& limits = {})
      : ServiceTest(absl::ZeroDuration(), limits) {
    RegisterAll();
  }

  pb::GetEvidenceRequest Key(const std::string& organisation) {
    pb::GetEvidenceRequest request;
    request.mutable_key()->set_organisation(organisation);
    request.mutable_key()->set_period("2001-02");
    request.mutable_key()->set_code("judgement");
    return request;
  }

  // 1,200 councils more: two blocks of an export, and a half.
  void RegisterMany() {
    pb::RegisterRequest more;
    more.set_request_id(NewId());
    for (int i = 0; i < 1'200; ++i) {
      auto& organisation = *more.add_organisations();
      organisation.set_id(absl::StrFormat("Council %d", i));
      organisation.set_name("A council");
      organisation.set_kind("council");
    }
    Must(register_, &pb::RegisterService::Stub::Register, more);
  }

  std::string LevelNow(const std::string& organisation) {
    return Must(evidence_, &pb::EvidenceService::Stub::GetEvidence, Key(organisation))
        .item()
        .item()
        .value()
        .level();
  }

  absl::Status Export(const pb::ExportDossiersRequest& request,
                      std::vector<pb::ExportDossiersResponse>& blocks) {
    grpc::ClientContext context;
    const auto reader = evidence_->ExportDossiers(&context, request);
    pb::ExportDossiersResponse block;
    while (reader->Read(&block)) blocks.push_back(block);
    return serving::FromGrpcStatus(reader->Finish());
  }
};

// The batch's first item.
inline ev::EvidenceItem& Item(pb::SubmitEvidenceRequest& request) {
  return *request.mutable_items(0)->mutable_item();
}

}  // namespace starratings::service
