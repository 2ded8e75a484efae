// starctl schemes: what rating-svc has, and proofs and cases without it.
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "rating-svc/verify/verify.h"
#include "starctl/bad_rows.h"
#include "starctl/commands.h"
#include "starctl/csv.h"
#include "starctl/encoding.h"
#include "starctl/json.h"
#include "starctl/phrases.h"
#include "starctl/proven_scheme.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using verify::Issue;
using verify::Verification;

absl::StatusOr<std::string> ReadText(const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  if (text.size() > verify::kTextMost) {
    return BadFile(path, absl::StrCat("must have at most ", verify::kTextMost, " bytes"));
  }
  BadRows bad(path);
  CheckEncoding(text, bad);
  RETURN_IF_ERROR(bad.ToStatus());
  return text;
}

// `FILE:LINE: CODE rule: message`, and under it what shows it.
std::string IssuesText(const std::string& file, const std::vector<Issue>& issues) {
  std::string out;
  for (const Issue& issue : issues) {
    absl::StrAppend(&out, file, issue.line > 0 ? absl::StrCat(":", issue.line) : "", ": ",
                    issue.code, issue.rule_id.empty() ? "" : " ", issue.rule_id, ": ",
                    issue.message, "\n");
    if (issue.counterexample.empty()) continue;
    absl::StrAppend(&out, "  for example:\n");
    for (const absl::string_view line :
         absl::StrSplit(issue.counterexample, '\n', absl::SkipEmpty())) {
      absl::StrAppend(&out, "    ", line, "\n");
    }
  }
  return out;
}

rating::v1::VerifySchemeResponse MessageOf(const Verification& verification) {
  rating::v1::VerifySchemeResponse message;
  message.set_verified(verification.issues.empty());
  for (const Issue& issue : verification.issues) {
    auto& out = *message.add_issues();
    out.set_code(issue.code);
    out.set_rule_id(issue.rule_id);
    out.set_line(issue.line);
    out.set_message(issue.message);
    out.set_counterexample(issue.counterexample);
  }
  for (const std::string& sentence : verification.report) message.add_report(sentence);
  if (!verification.id.empty()) {
    message.mutable_scheme()->set_id(verification.id);
    message.mutable_scheme()->set_version(verification.version);
    message.mutable_scheme()->set_digest(verification.digest);
  }
  return message;
}

// What may be done again under its request id, and is.
constexpr absl::Duration kPatience = absl::Seconds(5);

// The two files that a test of a scheme reads.
struct SchemeFiles {
  std::string scheme;
  std::string cases;
};

SchemeFiles FilesAt(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder =
      fs::is_directory(path, error) ? fs::path(path) : fs::path(path).parent_path();
  if (fs::is_directory(path, error)) {
    return {(folder / "scheme.textproto").string(), (folder / "cases.textproto").string()};
  }
  return {(folder / "scheme.textproto").string(), path};
}

std::string CasesJson(const verify::CaseReport& report, size_t passed) {
  const auto one = [](std::string* out, const verify::CaseOutcome& outcome) {
    absl::StrAppend(
        out, "{\"id\":", ToJson(outcome.id), ",\"passed\":", outcome.passed ? "true" : "false",
        ",\"completions\":", outcome.completions, ",\"message\":", ToJson(outcome.message), "}");
  };
  return absl::StrCat("{\"passed\":", passed, ",\"failed\":", report.outcomes.size() - passed,
                      ",\"cases\":[", absl::StrJoin(report.outcomes, ",", one), "]}");
}

std::string CasesText(const verify::CaseReport& report, size_t passed) {
  Table table({{"case"}, {"outcome"}, {"completions", Table::Align::kRight}, {"what differs"}});
  for (const verify::CaseOutcome& outcome : report.outcomes) {
    table.AddRow({outcome.id, outcome.passed ? "passed" : "FAILED", Thousands(outcome.completions),
                  outcome.message});
  }
  return absl::StrCat(table.ToString(), passed, " of ",
                      Counted(static_cast<int64_t>(report.outcomes.size()), "case"), " passed");
}

}  // namespace

absl::StatusOr<ExitCode> ListSchemes(Session& session) {
  ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
  rating::v1::ListSchemesResponse response;
  RETURN_IF_ERROR(session.Call(*rating->schemes, &rating::v1::SchemeService::Stub::ListSchemes,
                               rating::v1::ListSchemesRequest(), response));
  if (session.json()) {
    session.Print(ToJson(response));
    return ExitCode::kOk;
  }
  Table table({{"scheme"},
               {"title"},
               {"from"},
               {"to"},
               {"codes", Table::Align::kRight},
               {"results"},
               {"digest"}});
  for (const auto& scheme : response.schemes()) {
    table.AddRow({SchemeText(scheme.scheme()), scheme.title(), scheme.from(), scheme.to(),
                  absl::StrCat(scheme.codes_size()), absl::StrJoin(scheme.results(), ", "),
                  scheme.scheme().digest()});
  }
  session.Print(table.empty() ? "no schemes" : table.ToString());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> VerifyScheme(Session& session, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(file));
  const Verification verification = verify::Verify(text);
  const bool verified = verification.issues.empty();
  if (session.json()) {
    session.Print(ToJson(MessageOf(verification)));
  } else {
    std::string out = IssuesText(file, verification.issues);
    for (const std::string& sentence : verification.report) {
      absl::StrAppend(&out, Wrap(sentence, "", "  "));
    }
    const std::string name = verification.id.empty()
                                 ? "the scheme"
                                 : absl::StrCat(verification.id, "@", verification.version);
    const auto issues = static_cast<int64_t>(verification.issues.size());
    absl::StrAppend(
        &out, file, ": ", name,
        verified ? " verifies" : absl::StrCat(" does not verify: ", Counted(issues, "issue")),
        "\n");
    if (!verification.digest.empty()) absl::StrAppend(&out, "digest ", verification.digest, "\n");
    session.Print(out);
  }
  return verified ? ExitCode::kOk : ExitCode::kNo;
}

absl::StatusOr<ExitCode> TestScheme(Session& session, const std::string& path) {
  const SchemeFiles files = FilesAt(path);
  ASSIGN_OR_RETURN(const std::string scheme_text, ReadText(files.scheme));
  ASSIGN_OR_RETURN(const std::string cases_text, ReadFile(files.cases));
  const Verification verification = verify::Verify(scheme_text);
  if (verification.scheme == nullptr) {
    session.Print(session.json() ? ToJson(MessageOf(verification))
                                 : IssuesText(files.scheme, verification.issues));
    return ExitCode::kNo;
  }
  const verify::CaseReport report = verify::RunCases(*verification.scheme, cases_text);
  if (!report.issues.empty()) {
    BadRows bad(files.cases);
    for (const Issue& issue : report.issues) {
      bad.Add(issue.line, issue.rule_id.empty() ? issue.code : issue.rule_id, issue.message);
    }
    return bad.ToStatus();
  }
  size_t passed = 0;
  for (const verify::CaseOutcome& outcome : report.outcomes) passed += outcome.passed ? 1 : 0;
  session.Print(session.json() ? CasesJson(report, passed) : CasesText(report, passed));
  return passed == report.outcomes.size() ? ExitCode::kOk : ExitCode::kNo;
}

absl::StatusOr<ExitCode> ApproveScheme(Session& session, const ApproveSchemeOptions& options) {
  ASSIGN_OR_RETURN(const auto scheme, ProvenScheme(session, options.scheme));
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ApproveSchemeRequest request;
  request.set_digest(scheme->digest);
  request.set_reason(options.reason);
  request.set_request_id(NewUuid());
  assessment::v1::ApproveSchemeResponse response;
  RETURN_IF_ERROR(Retrying(kPatience, [&] {
    return session.Call(*assessment->registers,
                        &assessment::v1::RegisterService::Stub::ApproveScheme, request, response);
  }));
  session.Print(session.json()
                    ? ToJson(response)
                    : absl::StrCat("approved scheme ", scheme->Name(), "; revision ",
                                   response.snapshot().revision(), "\ndigest ", scheme->digest));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
