// Lists that come in pages.
#pragma once

#include "absl/status/status.h"
#include "starctl/session.h"

namespace starratings::starctl {

inline constexpr int kPageSize = 1'000;

// Calls a List method page by page, and `visit` with each reply.
template <typename Stub, typename Request, typename Response, typename Visit>
absl::Status ForEachPage(const Session& session, Stub& stub,
                         grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                      Response*),
                         Request request, Visit visit) {
  request.set_page_size(kPageSize);
  while (true) {
    Response response;
    RETURN_IF_ERROR(session.Call(stub, method, request, response));
    request.set_page_token(response.next_page_token());
    visit(response);
    if (request.page_token().empty()) return absl::OkStatus();
  }
}

}  // namespace starratings::starctl
