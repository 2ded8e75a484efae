// Reads the schemes that the server is started with.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/scheme_library.h"
#include "rating-svc/verify/verify.h"

namespace starratings::service {
namespace {

namespace fs = std::filesystem;

constexpr char kSchemeFile[] = "scheme.textproto";
constexpr char kCasesFile[] = "cases.textproto";
// Of a file of cases, in bytes.
constexpr size_t kCasesMost = 16 << 20;

absl::StatusOr<std::string> ReadFile(const fs::path& path, size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in) return absl::NotFoundError(absl::StrCat(path.string(), ": cannot be read"));
  if (text.size() > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": is larger than ", most, " bytes"));
  }
  return text;
}

// The folders that hold a scheme each, by name. Hidden ones are not ours: a
// mounted ConfigMap has them.
absl::StatusOr<std::vector<fs::path>> Folders(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const bool hidden = entry->path().filename().string().front() == '.';
    if (!hidden && entry->is_directory(error)) folders.push_back(entry->path());
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat(directory, ": ", error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

void Tell(const fs::path& file, const std::vector<verify::Issue>& issues, std::string& told) {
  for (const verify::Issue& issue : issues) {
    absl::StrAppend(&told, file.string(), ":", issue.line, ": ", issue.code, " ", issue.message,
                    "\n");
    if (!issue.counterexample.empty()) absl::StrAppend(&told, issue.counterexample, "\n");
  }
}

// Appends to `told` what is wrong with the cases beside a scheme.
absl::Status CheckCases(const scheme::Scheme& scheme, const fs::path& file, std::string& told) {
  std::error_code error;
  if (!fs::exists(file, error)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kCasesMost));
  const verify::CaseReport report = verify::RunCases(scheme, text);
  Tell(file, report.issues, told);
  for (const verify::CaseOutcome& outcome : report.outcomes) {
    if (outcome.passed) continue;
    absl::StrAppend(&told, file.string(), ":0: CASE_FAILED ", outcome.id, ": ", outcome.message,
                    "\n");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SchemePtr>> LoadSchemes(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> folders, Folders(directory));
  std::vector<SchemePtr> schemes;
  std::string told;
  for (const fs::path& folder : folders) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(folder / kSchemeFile, verify::kTextMost));
    const verify::Verification verification = verify::Verify(text);
    Tell(folder / kSchemeFile, verification.issues, told);
    if (verification.scheme == nullptr) continue;
    RETURN_IF_ERROR(CheckCases(*verification.scheme, folder / kCasesFile, told));
    schemes.push_back(verification.scheme);
  }
  const auto key = [](const SchemePtr& s) { return std::tie(s->id, s->version); };
  std::sort(schemes.begin(), schemes.end(),
            [&](const SchemePtr& a, const SchemePtr& b) { return key(a) < key(b); });
  for (size_t i = 1; i < schemes.size(); ++i) {
    if (key(schemes[i - 1]) != key(schemes[i])) continue;
    absl::StrAppend(&told, directory, ":0: SCHEME_TWICE ", schemes[i]->Name(),
                    " must not stand in two folders\n");
  }
  if (!told.empty()) {
    told.pop_back();  // The last line's end.
    return absl::FailedPreconditionError(absl::StrCat("a scheme does not verify\n", told));
  }
  return schemes;
}

}  // namespace starratings::service
