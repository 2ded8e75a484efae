// starctl register.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/wire/scheme_text.h"
#include "starctl/commands.h"
#include "starctl/encoding.h"
#include "starctl/input.h"
#include "starctl/json.h"
#include "starctl/register_rows.h"
#include "starctl/session.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RegisterRequest;
using assessment::v1::RegisterResponse;
using assessment::v1::RegisterService;

using RowReader = RegisterRequest (*)(const Input&, BadRows&);

void Print(const Session& session, absl::string_view noun, int64_t count, bool replayed,
           const evidence::v1::Snapshot& snapshot) {
  if (session.json()) {
    session.Print(absl::StrCat("{\"registered\":", count,
                               ",\"replayed\":", replayed ? "true" : "false",
                               ",\"snapshot\":", ToJson(snapshot), "}"));
    return;
  }
  session.Print(absl::StrCat("registered ", Counted(count, noun), replayed ? ", as before" : "",
                             "; revision ", snapshot.revision()));
}

absl::StatusOr<ExitCode> RegisterRows(Session& session, const RegisterOptions& options,
                                      absl::string_view noun, RowReader read) {
  ASSIGN_OR_RETURN(const Input input, ReadInput(options.input));
  BadRows bad(input.path);
  const RegisterRequest whole = read(input, bad);
  RETURN_IF_ERROR(bad.ToStatus());
  const int64_t count = whole.organisations_size() + whole.periods_size() + whole.codes_size();
  if (count == 0) return BadFile(input.path, "has no row to register");
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  bool replayed = true;
  evidence::v1::Snapshot last;
  for (const RegisterRequest& request : SplitRegister(whole, options.reason)) {
    RegisterResponse response;
    RETURN_IF_ERROR(Retrying(absl::Seconds(options.retry_for_s), [&] {
      return session.Call(*assessment->registers, &RegisterService::Stub::Register, request,
                          response);
    }));
    replayed = replayed && response.replayed();
    last = response.snapshot();
  }
  Print(session, noun, count, replayed, last);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> RegisterOrganisations(Session& session, const RegisterOptions& options) {
  return RegisterRows(session, options, "organisation", &ReadOrganisationRows);
}

absl::StatusOr<ExitCode> RegisterPeriods(Session& session, const RegisterOptions& options) {
  return RegisterRows(session, options, "period", &ReadPeriodRows);
}

absl::StatusOr<ExitCode> RegisterCodes(Session& session, const RegisterOptions& options) {
  return RegisterRows(session, options, "code", &ReadCodeRows);
}

absl::StatusOr<ExitCode> RegisterScheme(Session& session, const RegisterOptions& options) {
  const std::string& file = options.input.file;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  scheme::v1::Scheme scheme;
  BadRows bad(file);
  CheckEncoding(text, bad);
  RETURN_IF_ERROR(bad.ToStatus());
  for (const wire::TextIssue& issue : wire::ParseText(text, scheme)) {
    bad.Add(issue.line, absl::StrCat("column ", issue.column), issue.message);
  }
  RETURN_IF_ERROR(bad.ToStatus());
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::RegisterSchemeRequest request;
  request.set_text(text);
  request.set_reason(options.reason);
  request.set_request_id(
      UuidOf(absl::StrCat("starctl register scheme 1\n", options.reason, "\n", text)));
  assessment::v1::RegisterSchemeResponse response;
  RETURN_IF_ERROR(Retrying(absl::Seconds(options.retry_for_s), [&] {
    return session.Call(*assessment->registers, &RegisterService::Stub::RegisterScheme, request,
                        response);
  }));
  session.Print(session.json() ? ToJson(response)
                               : absl::StrCat("registered scheme ", wire::SchemeName(scheme),
                                              response.replayed() ? ", as before" : "",
                                              "; revision ", response.snapshot().revision(), "\n",
                                              "digest ", response.digest()));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
