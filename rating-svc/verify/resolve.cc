#include "rating-svc/verify/resolve.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/evidence/text.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

template <typename Allowed>
bool Consists(absl::string_view text, size_t most, Allowed allowed) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), allowed);
}

bool IsLower(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) ||
         absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
}

bool IsVersion(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
}

// `YYYY`, `YYYY-MM` or a day.
bool IsPublicationDate(const std::string& date) {
  static constexpr char kRest[] = "-01-01";
  if (date.empty()) return true;
  if (date.size() != 4 && date.size() != 7 && date.size() != 10) return false;
  return evidence::Date::Parse(date + (kRest + (date.size() - 4))).ok();
}

}  // namespace

Draft Resolve(const scheme::v1::Scheme& message, const Place& place, Issues& issues) {
  return Resolver(message, place, issues).Run();
}

Draft Resolver::Run() {
  if (!CheckCounts()) return std::move(draft_);
  Head();
  InForce();
  Supersedes();
  Publications();
  Scales();
  Inputs();
  DeclareOutputs();
  Sums();
  Quantiles();
  Bands();
  Matrices();
  Counts();
  Adjusts();
  CheckSizes();
  Caps();
  Vetoes();
  Floors();
  CheckQuantiles();
  Results();
  Transitions();
  Consequences();
  Properties();
  return std::move(draft_);
}

bool Resolver::CheckCounts() {
  struct Count {
    const char* what;
    int count;
    int most;
  };
  const int stages = message_.sum_size() + message_.band_size() + message_.matrix_size() +
                     message_.cap_size() + message_.veto_size() + message_.floor_size() +
                     message_.count_size() + message_.adjust_size();
  bool fits = true;
  for (const Count& count : std::initializer_list<Count>{
           {"publications", message_.publication_size(), kPublicationsMost},
           {"scales", message_.scale_size(), kScalesMost},
           {"inputs", message_.input_size(), kInputsMost},
           {"stages", stages, kStagesMost},
           {"quantiles", message_.quantiles_size(), kQuantilesMost},
           {"results", message_.result_size(), kResultsMost},
           {"transitions", message_.transition_size(), kFollowsMost},
           {"consequences", message_.consequence_size(), kFollowsMost},
           {"properties", message_.property_size(), kFollowsMost}}) {
    if (count.count <= count.most) continue;
    fits = false;
    Fail("LIMIT_EXCEEDED", "", place_,
         absl::StrCat("has ", count.count, " ", count.what, "; at most ", count.most));
  }
  return fits;
}

void Resolver::Head() {
  scheme::Scheme& scheme = draft_.scheme;
  scheme.id = message_.id();
  scheme.version = message_.version();
  scheme.title = message_.title();
  if (!Consists(scheme.id, 64, IsLower)) {
    Fail("NAME_MALFORMED", "", place_.In("id"), "`id` must be given, 1 to 64 of a-z 0-9 -");
  }
  if (!Consists(scheme.version, 32, IsVersion)) {
    Fail("NAME_MALFORMED", "", place_.In("version"),
         "`version` must be given, 1 to 32 of A-Z a-z 0-9 . -");
  }
  Prose(scheme.title, 1, "title", "", place_);
}

void Resolver::InForce() {
  const Place at = place_.In("in_force");
  const auto from = evidence::Date::Parse(message_.in_force().from());
  if (from.ok()) {
    draft_.scheme.from = *from;
  } else {
    Fail("DATE_INVALID", "", at.In("from"),
         absl::StrCat("`in_force.from` must be given: ", from.status().message()));
  }
  if (message_.in_force().to().empty()) return;
  const auto to = evidence::Date::Parse(message_.in_force().to());
  if (!to.ok()) {
    Fail("DATE_INVALID", "", at.In("to"), to.status().message());
  } else if (from.ok() && *to <= *from) {
    Fail("DATE_INVALID", "", at.In("to"), "`in_force.to` must be later than `from`");
  } else {
    draft_.scheme.to = *to;
  }
}

void Resolver::Supersedes() {
  const std::string& name = message_.supersedes();
  draft_.scheme.supersedes = name;
  if (name.empty()) return;
  const size_t at = std::min(name.find('@'), name.size());
  if (!Consists(name.substr(0, at), 64, IsLower) ||
      !Consists(name.substr(std::min(at + 1, name.size())), 32, IsVersion)) {
    Fail("NAME_MALFORMED", "", place_.In("supersedes"),
         "`supersedes` must be the id@version of the scheme that this one replaces");
  } else if (name == draft_.scheme.Name()) {
    Fail("NAME_TAKEN", "", place_.In("supersedes"), "a scheme does not supersede itself");
  }
}

void Resolver::Publications() {
  for (int i = 0; i < message_.publication_size(); ++i) {
    const scheme::v1::Publication& message = message_.publication(i);
    const Place at = place_.In("publication", i);
    if (!evidence::CheckSlug(message.id()).ok()) {
      Fail("NAME_MALFORMED", message.id(), at.In("id"),
           "a publication's `id` must be given, 1 to 64 of a-z 0-9 _ . -");
    } else if (!publications_.insert(message.id()).second) {
      Fail("NAME_TAKEN", message.id(), at.In("id"),
           absl::StrCat("another publication has the id `", message.id(), "`"));
    }
    Prose(message.title(), 1, "title", message.id(), at);
    Prose(message.uri(), 0, "uri", message.id(), at);
    if (!IsPublicationDate(message.date())) {
      Fail("DATE_INVALID", message.id(), at.In("date"), "must be YYYY-MM-DD, YYYY-MM or YYYY");
    }
    draft_.scheme.publications.push_back(
        {message.id(), message.title(), message.date(), message.uri()});
  }
}

void Resolver::Scales() {
  for (int i = 0; i < message_.scale_size(); ++i) {
    const scheme::v1::Scale& message = message_.scale(i);
    const Place at = place_.In("scale", i);
    if (!evidence::CheckSlug(message.id()).ok()) {
      Fail("NAME_MALFORMED", message.id(), at.In("id"),
           "a scale's `id` must be given, 1 to 64 of a-z 0-9 _ . -");
    } else if (!scales_.emplace(message.id(), i).second) {
      Fail("NAME_TAKEN", message.id(), at.In("id"),
           absl::StrCat("another scale has the id `", message.id(), "`"));
    }
    Levels(message, at);
    if (message.lowest_score() != 0 && message.lowest_score() != 1) {
      Fail("NUMBER_INVALID", message.id(), at.In("lowest_score"), "must be 0 or 1");
    }
    draft_.scheme.scales.push_back(
        {message.id(), {message.level().begin(), message.level().end()}, message.lowest_score()});
  }
}

void Resolver::Levels(const scheme::v1::Scale& scale, const Place& at) {
  if (scale.level_size() < 2 || scale.level_size() > kLevelsMost) {
    Fail(scale.level_size() < 2 ? "FIELD_MISSING" : "LIMIT_EXCEEDED", scale.id(), at,
         absl::StrCat("a scale must have 2 to ", kLevelsMost, " levels, and has ",
                      scale.level_size()));
  }
  std::set<std::string> levels;
  for (int i = 0; i < scale.level_size(); ++i) {
    const std::string& level = scale.level(i);
    if (const absl::Status status = evidence::CheckLevel(level); !status.ok()) {
      Fail("NAME_MALFORMED", scale.id(), at.In("level", i), status.message());
    }
    if (!levels.insert(level).second) {
      Fail("NAME_TAKEN", scale.id(), at.In("level", i),
           absl::StrCat("the level `", level, "` stands twice in the scale"));
    }
  }
}

void Resolver::DeclareOutputs() {
  for (int i = 0; i < message_.sum_size(); ++i) {
    sum_outputs_.push_back(Declare(message_.sum(i).output(), "output", place_.In("sum", i), {}));
  }
  const auto level = [this](const auto& message, const Place& at) {
    scheme::ValueInfo info;
    info.scale = ScaleNamed(message.to(), message.id(), at.In("to"));
    return Declare(message.output(), "output", at, info);
  };
  for (int i = 0; i < message_.band_size(); ++i) {
    band_outputs_.push_back(level(message_.band(i), place_.In("band", i)));
  }
  for (int i = 0; i < message_.matrix_size(); ++i) {
    matrix_outputs_.push_back(level(message_.matrix(i), place_.In("matrix", i)));
  }
  for (int i = 0; i < message_.count_size(); ++i) {
    count_outputs_.push_back(
        Declare(message_.count(i).output(), "output", place_.In("count", i), {}));
  }
  for (int i = 0; i < message_.adjust_size(); ++i) {
    // On the scale of what it begins with; that may be another adjustment's output,
    // declared before it.
    scheme::ValueInfo info;
    const auto from = values_.find(message_.adjust(i).from());
    if (from != values_.end()) info.scale = Info(from->second).scale;
    adjust_outputs_.push_back(
        Declare(message_.adjust(i).output(), "output", place_.In("adjust", i), info));
  }
}

}  // namespace starratings::verify
