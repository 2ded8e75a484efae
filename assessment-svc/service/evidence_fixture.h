// What the tests of evidence share.
#pragma once

#include <string>
#include <vector>

#include "assessment-svc/service/service_fixture.h"

namespace starratings::service {

class EvidenceTest : public ServiceTest {
 protected:
  EvidenceTest() { RegisterAll(); }

  pb::GetEvidenceRequest Key(const std::string& organisation) {
    pb::GetEvidenceRequest request;
    request.mutable_key()->set_organisation(organisation);
    request.mutable_key()->set_period("2001-02");
    request.mutable_key()->set_code("judgement");
    return request;
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
