// What is made from the log, and the register.
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "assessment-svc/upkeep/fsck_passes.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

// Whether the statement in `$` is the one of the log.
constexpr char kSame[] =
    "l.ordinal = $.ordinal AND l.decimal IS NOT DISTINCT FROM $.decimal"
    " AND l.numerator IS NOT DISTINCT FROM $.numerator"
    " AND l.denominator IS NOT DISTINCT FROM $.denominator"
    " AND l.level IS NOT DISTINCT FROM $.level AND l.flag IS NOT DISTINCT FROM $.flag"
    " AND l.text IS NOT DISTINCT FROM $.text AND l.missing IS NOT DISTINCT FROM $.missing"
    " AND l.observed_on IS NOT DISTINCT FROM $.observed_on AND l.source = $.source"
    " AND l.digest = $.digest AND l.authority IS NOT DISTINCT FROM $.authority"
    " AND l.expires_on IS NOT DISTINCT FROM $.expires_on";

// Where the statement of `l` has its place in `$`, given its bucket.
constexpr char kPlace[] =
    " = $.bucket AND l.organisation = $.organisation AND l.period = $.period AND l.code = $.code"
    " AND l.instance = $.instance AND l.revision = $.rev_from";

std::string Of(absl::string_view sql, absl::string_view alias) {
  return absl::StrReplaceAll(sql, {{"$", alias}});
}

enum Column {
  kOrganisation,
  kPeriod,
  kCode,
  kInstance,
  kOrdinal,
  kRevision,
  kCurrentThere,
  kCurrentSame,
  kPastThere,
  kPastSame,
  kRevTo,
};

// Every statement of the log in the order of its keys, and what stands for it.
std::string StatementsSql(const RecordReader& reader) {
  const std::string place = reader.BucketOf("l.organisation") + kPlace;
  return absl::StrCat(
      "SELECT l.organisation, l.period, l.code, l.instance, l.ordinal, l.revision, c.rev_from, ",
      Of(kSame, "c"), ", p.rev_from, ", Of(kSame, "p"),
      ", p.rev_to FROM evidence_log AS l"
      " LEFT JOIN evidence_current AS c ON ",
      Of(place, "c"), " LEFT JOIN evidence_past AS p ON ", Of(place, "p"),
      " ORDER BY l.organisation, l.period, l.code, l.instance, l.ordinal");
}

// The rows of `table` that stand for no statement.
std::string ExtraSql(const RecordReader& reader, absl::string_view table) {
  return absl::StrCat("SELECT c.organisation, c.period, c.code, c.instance, 0, c.rev_from FROM ",
                      table, " AS c WHERE NOT EXISTS (SELECT 1 FROM evidence_log AS l WHERE ",
                      reader.BucketOf("l.organisation"), Of(kPlace, "c"), ")");
}

// A statement, and what stands for it.
struct Statement {
  explicit Statement(const Row& row)
      : key{row.Text(kOrganisation), row.Text(kPeriod), row.Text(kCode), row.Text(kInstance)},
        ordinal(row.Int(kOrdinal)),
        revision(row.Int(kRevision)) {}

  std::string Where() const {
    return absl::StrCat("revision ", revision, " ", key.organisation, " ", key.period, " ",
                        key.code, key.instance.empty() ? "" : " ", key.instance);
  }

  evidence::ItemKey key;
  int64_t ordinal;
  int64_t revision;
  bool in_current = false;
  bool current_same = false;
  bool in_past = false;
  bool past_same = false;
  int64_t rev_to = 0;
};

// Looks at each statement once the next one is known.
class ProjectionChecker {
 public:
  explicit ProjectionChecker(Findings& findings) : findings_(findings) {}

  void Take(const Row& row) {
    Statement next(row);
    next.in_current = !row.IsNull(kCurrentThere);
    next.current_same = row.Int(kCurrentSame) != 0;
    next.in_past = !row.IsNull(kPastThere);
    next.past_same = row.Int(kPastSame) != 0;
    next.rev_to = row.Int(kRevTo);
    if (next.in_current) ++current_;
    if (next.in_past) ++past_;
    const bool is_first = !last_ || last_->key != next.key;
    if (is_first) {
      EndKey();
      ++findings_.report().keys;
    } else {
      CheckEnded(*last_, next.revision);
    }
    const int64_t expected = is_first ? 1 : last_->ordinal + 1;
    if (next.ordinal != expected) {
      findings_.Add("ORDINAL", next.Where(),
                    absl::StrCat("is statement ", next.ordinal, ", and should be ", expected));
    } else if (!is_first && next.revision <= last_->revision) {
      findings_.Add("ORDINAL", next.Where(), "comes after a statement of a later revision");
    }
    last_ = std::move(next);
  }

  // Looks at the last statement of a key, which holds.
  void EndKey() {
    if (!last_) return;
    CheckPlace(*last_, last_->in_current, last_->current_same, "evidence_current");
    if (last_->in_past) {
      findings_.Add("PROJECTION_EXTRA", last_->Where(), "still holds, and is in evidence_past");
    }
  }

  int64_t current() const { return current_; }  // Rows that stand for a statement.
  int64_t past() const { return past_; }

 private:
  // Looks at a statement that revision `next` ended.
  void CheckEnded(const Statement& ended, int64_t next) {
    if (CheckPlace(ended, ended.in_past, ended.past_same, "evidence_past") &&
        ended.rev_to != next) {
      findings_.Add(
          "PROJECTION_DIFFERS", ended.Where(),
          absl::StrCat("held up to revision ", next, ", in evidence_past to ", ended.rev_to));
    }
    if (ended.in_current) {
      findings_.Add("PROJECTION_EXTRA", ended.Where(),
                    "does not hold any more, and is in evidence_current");
    }
  }

  // Whether the statement is where it belongs, as it was made.
  bool CheckPlace(const Statement& statement, bool there, bool same, absl::string_view table) {
    if (!there) {
      findings_.Add("PROJECTION_LACKS", statement.Where(), absl::StrCat("is not in ", table));
    } else if (!same) {
      findings_.Add("PROJECTION_DIFFERS", statement.Where(),
                    absl::StrCat("is not in ", table, " as it is in the log"));
    }
    return there && same;
  }

  Findings& findings_;
  std::optional<Statement> last_;
  int64_t current_ = 0;
  int64_t past_ = 0;
};

// Looks for rows that stand for nothing, if there are more than stand for a
// statement.
absl::Status CheckExtra(RecordReader& reader, const std::string& table, int64_t expected,
                        Findings& findings) {
  ASSIGN_OR_RETURN(const int64_t rows, reader.ReadInt("SELECT count(*) FROM " + table));
  if (rows == expected) return absl::OkStatus();
  return reader.ForEach(ExtraSql(reader, table), [&](const Row& row) {
    findings.Add("PROJECTION_EXTRA", Statement(row).Where(),
                 absl::StrCat("is in ", table, ", and not in the log"));
    return absl::OkStatus();
  });
}

// Each is of a scheme that somebody else has registered.
absl::Status CheckApprovals(RecordReader& reader, Findings& findings) {
  if (findings.report().head.schema < 3) return absl::OkStatus();
  return reader.ForEach(
      "SELECT a.digest, a.revision, s.revision FROM scheme_approvals AS a LEFT JOIN schemes AS s"
      " ON s.digest = a.digest LEFT JOIN commits AS c ON c.revision = s.revision"
      " LEFT JOIN commits AS d ON d.revision = a.revision"
      " WHERE s.revision IS NULL OR c.actor = d.actor",
      [&](const Row& row) {
        const std::string where = absl::StrCat("revision ", row.Int(1));
        if (row.IsNull(2)) {
          findings.Add("REFERENCE", where,
                       absl::StrCat("approves scheme ", row.View(0), ", which is not there"));
        } else {
          findings.Add("SCHEME_APPROVAL", where, "whoever registered a scheme has approved it");
        }
        return absl::OkStatus();
      });
}

}  // namespace

absl::Status CheckProjection(RecordReader& reader, Findings& findings) {
  ProjectionChecker checker(findings);
  RETURN_IF_ERROR(reader.ForEach(OfSchema(StatementsSql(reader), findings.report().head.schema),
                                 [&](const Row& row) {
                                   checker.Take(row);
                                   return absl::OkStatus();
                                 }));
  checker.EndKey();
  RETURN_IF_ERROR(CheckExtra(reader, "evidence_current", checker.current(), findings));
  return CheckExtra(reader, "evidence_past", checker.past(), findings);
}

std::string OfSchema(const std::string& sql, int64_t schema) {
  if (schema >= 3) return sql;
  std::vector<std::pair<std::string, std::string>> lacking;
  for (const char* const of : {"l", "c", "p"}) {
    lacking.emplace_back(absl::StrCat(of, ".authority"), "NULL");
    lacking.emplace_back(absl::StrCat(of, ".expires_on"), "NULL");
  }
  return absl::StrReplaceAll(sql, lacking);
}

absl::Status CheckRegister(RecordReader& reader, Findings& findings) {
  const std::pair<const char*, const char*> buckets[] = {{"organisations", "id"},
                                                         {"round_organisations", "organisation"},
                                                         {"ratings", "organisation"}};
  for (const auto& [table, id] : buckets) {
    RETURN_IF_ERROR(reader.ForEach(
        absl::StrCat("SELECT ", id, " FROM ", table, " WHERE bucket <> ", reader.BucketOf(id)),
        [&](const Row& row) {
          findings.Add("BUCKET", row.Text(0),
                       absl::StrCat("stands in another bucket of ", table, " than its own"));
          return absl::OkStatus();
        }));
  }
  // Each database keeps references by itself, unless somebody has switched that off.
  const std::pair<const char*, const char*> references[] = {
      {"round_organisations",
       "SELECT t.round, t.revision FROM round_organisations AS t LEFT JOIN rounds AS r"
       " ON r.id = t.round AND r.revision = t.revision WHERE r.id IS NULL"},
      {"code_levels",
       "SELECT t.code, t.revision FROM code_levels AS t LEFT JOIN codes AS r"
       " ON r.id = t.code AND r.revision = t.revision WHERE r.id IS NULL"}};
  for (const auto& [table, sql] : references) {
    RETURN_IF_ERROR(reader.ForEach(sql, [&](const Row& row) {
      findings.Add("REFERENCE", absl::StrCat(row.View(0), " revision ", row.Int(1)),
                   absl::StrCat("a row of ", table, " refers to it, and it is not there"));
      return absl::OkStatus();
    }));
  }
  RETURN_IF_ERROR(CheckApprovals(reader, findings));
  ASSIGN_OR_RETURN(
      findings.report().attempts_staged,
      reader.ReadInt("SELECT count(*) FROM (SELECT DISTINCT round, attempt FROM ratings) AS a"));
  return absl::OkStatus();
}

bool IsOfProjection(absl::string_view code) {
  return code == "PROJECTION_LACKS" || code == "PROJECTION_EXTRA" || code == "PROJECTION_DIFFERS";
}

void Findings::Add(absl::string_view code, std::string where, std::string what) {
  only_of_projection_ = only_of_projection_ && IsOfProjection(code);
  if (++report_.faults_total > faults_most_) return;
  report_.faults.push_back({std::string(code), std::move(where), std::move(what)});
}

}  // namespace starratings::upkeep
