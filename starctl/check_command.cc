// starctl rounds check: what is missing before the freeze.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/pages.h"
#include "starctl/phrases.h"
#include "starctl/progress.h"
#include "starctl/rounds.h"
#include "starctl/session.h"
#include "starctl/table.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using assessment::v1::CheckRoundResponse;
using assessment::v1::EvidenceService;
using assessment::v1::RoundService;
using rating::v1::SchemeService;

constexpr int kNamed = 10;  // Organisations, unless all are asked for.

// The codes that the round's scheme reads: as rating-svc has it if it was
// named and knows it, else as the record has it.
absl::StatusOr<std::vector<std::string>> CodesOf(Session& session,
                                                 const rating::v1::SchemeRef& scheme) {
  const std::string name = scheme.digest().empty() ? SchemeText(scheme) : scheme.digest();
  if (session.has_rating()) {
    ASSIGN_OR_RETURN(const Rating* const rating, session.rating());
    rating::v1::GetSchemeRequest request;
    request.set_scheme(name);
    rating::v1::GetSchemeResponse response;
    const absl::Status status =
        session.Call(*rating->schemes, &SchemeService::Stub::GetScheme, request, response);
    if (status.ok()) {
      const auto& codes = response.scheme().codes();
      return std::vector<std::string>(codes.begin(), codes.end());
    }
    if (status.code() != absl::StatusCode::kNotFound) return status;
  }
  ASSIGN_OR_RETURN(const scheme::v1::Scheme parsed, SchemeInRecord(session, name));
  std::vector<std::string> codes;
  for (const auto& input : parsed.input()) codes.push_back(input.code());
  return codes;
}

// What the dossiers hold.
struct Holdings {
  int64_t items = 0;
  int64_t reconstructed = 0;
};

absl::StatusOr<Holdings> CountItems(Session& session, const std::string& round,
                                    const std::vector<std::string>& codes) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ExportDossiersRequest request;
  request.set_round(round);
  for (const std::string& code : codes) request.add_codes(code);
  grpc::ClientContext context;
  session.Prepare(context);
  const auto stream = assessment->evidence->ExportDossiers(&context, request);
  Progress progress("reading");
  Holdings holdings;
  int64_t done = 0;
  assessment::v1::ExportDossiersResponse block;
  while (stream->Read(&block)) {
    std::map<std::string, bool> reconstructed;
    for (const auto& source : block.sources()) {
      reconstructed[source.id()] = source.reconstructed();
    }
    for (const auto& dossier : block.dossiers()) {
      holdings.items += dossier.items_size();
      for (const auto& item : dossier.items()) {
        holdings.reconstructed += reconstructed[item.item().source_id()] ? 1 : 0;
      }
    }
    done += block.dossiers_size();
    progress.Show(done, block.total());
  }
  RETURN_IF_ERROR(serving::FromGrpcStatus(stream->Finish()));
  return holdings;
}

// How often each code is missing, and why.
std::string GapsByCode(const CheckRoundResponse& found, const std::vector<std::string>& codes) {
  std::map<std::string, std::map<std::string, int64_t>> counts;
  for (const auto& organisation : found.gaps()) {
    for (const auto& gap : organisation.gaps()) ++counts[gap.code()][Name(gap.reason())];
  }
  Table table({{"code"}, {"missing", Table::Align::kRight}, {"why"}});
  for (const std::string& code : codes) {
    int64_t total = 0;
    std::vector<std::string> reasons;
    for (const auto& [reason, count] : counts[code]) {
      total += count;
      reasons.push_back(absl::StrCat(reason, " ", Thousands(count)));
    }
    table.AddRow({code, Thousands(total), absl::StrJoin(reasons, ", ")});
  }
  return table.ToString("  ");
}

std::string GapsByOrganisation(const CheckRoundResponse& found, bool all) {
  Table table({{"organisation"}, {"name"}, {"missing"}, {"why"}, {"last supplied by"}, {"for"}});
  int named = 0;
  for (const auto& organisation : found.gaps()) {
    if (!all && named++ == kNamed) break;
    bool first = true;
    for (const auto& gap : organisation.gaps()) {
      table.AddRow({first ? organisation.organisation() : "", first ? organisation.name() : "",
                    gap.code(), Name(gap.reason()), gap.last_supplied_by(),
                    gap.last_supplied_for()});
      first = false;
    }
  }
  std::string out = table.ToString("  ");
  if (!all && found.gaps_size() > kNamed) {
    absl::StrAppend(&out, "  and ", Thousands(found.gaps_size() - kNamed),
                    " more organisations: --all names them\n");
  }
  return out;
}

std::string CheckText(const std::string& round, const CheckRoundResponse& found,
                      const std::vector<std::string>& codes, const Holdings& holdings, bool all) {
  std::string out =
      absl::StrCat("round ", round, ": ", Counted(found.organisation_count(), "organisation"), ", ",
                   Thousands(found.gaps_size()), " of them without a value for something\n");
  absl::StrAppend(&out, Thousands(holdings.reconstructed), " of ", Counted(holdings.items, "item"),
                  " are reconstructed: nobody published them\n");
  if (found.gaps_size() == 0) return out;
  absl::StrAppend(&out, "\n", GapsByCode(found, codes), "\n", GapsByOrganisation(found, all));
  return out;
}

}  // namespace

absl::StatusOr<ExitCode> CheckRound(Session& session, const CheckRoundOptions& options) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  ASSIGN_OR_RETURN(const auto current, GetRound(session, options.round));
  ASSIGN_OR_RETURN(const auto codes, CodesOf(session, current.round().scheme()));
  assessment::v1::CheckRoundRequest request;
  request.set_round(options.round);
  for (const std::string& code : codes) request.add_codes(code);
  CheckRoundResponse found;
  RETURN_IF_ERROR(ForEachPage(session, *assessment->rounds, &RoundService::Stub::CheckRound,
                              std::move(request), [&found](auto& page) {
                                page.clear_next_page_token();
                                found.MergeFrom(page);
                              }));
  ASSIGN_OR_RETURN(const Holdings holdings, CountItems(session, options.round, codes));
  if (session.json()) {
    session.Print(absl::StrCat("{\"check\":", ToJson(found), ",\"items\":", holdings.items,
                               ",\"reconstructed\":", holdings.reconstructed, "}"));
  } else {
    session.Print(CheckText(options.round, found, codes, holdings, options.all));
  }
  return options.strict && found.gaps_size() > 0 ? ExitCode::kNo : ExitCode::kOk;
}

}  // namespace starratings::starctl
