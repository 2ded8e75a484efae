#include "common/serving/trace.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace starratings::serving {
namespace {

constexpr char kTraceParent[] = "traceparent";
constexpr char kRequestId[] = "x-request-id";
constexpr size_t kRequestIdMost = 100;
// 00-<trace id: 32>-<span id: 16>-<flags: 2>
constexpr size_t kParentSize = 55, kIdAt = 3, kIdSize = 32, kSpanAt = 36, kSpanSize = 16;

thread_local Trace current;

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) { return text.find_first_not_of('0') == text.npos; }

bool IsParent(absl::string_view text) {
  if (text.size() != kParentSize || text.substr(0, 3) != "00-" || text[35] != '-' ||
      text[52] != '-') {
    return false;
  }
  const absl::string_view id = text.substr(kIdAt, kIdSize), span = text.substr(kSpanAt, kSpanSize);
  return IsHex(id) && IsHex(span) && IsHex(text.substr(53)) && !IsZero(id) && !IsZero(span);
}

absl::string_view Find(const grpc::ServerContextBase& context, const char* name) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(name);
  if (found == metadata.end()) return "";
  return {found->second.data(), found->second.size()};
}

}  // namespace

absl::string_view Trace::id() const {
  return parent.empty() ? absl::string_view() : absl::string_view(parent).substr(kIdAt, kIdSize);
}

Trace TraceOf(const grpc::ServerContextBase& context) {
  Trace trace;
  const absl::string_view parent = Find(context, kTraceParent), id = Find(context, kRequestId);
  if (IsParent(parent)) trace.parent = std::string(parent);
  if (id.size() <= kRequestIdMost) trace.request_id = std::string(id);
  return trace;
}

TraceScope::TraceScope(Trace trace) : before_(std::exchange(current, std::move(trace))) {}

TraceScope::~TraceScope() { current = std::move(before_); }

void PassTrace(grpc::ClientContext& context) {
  if (!current.request_id.empty()) context.AddMetadata(kRequestId, current.request_id);
  if (current.parent.empty()) return;
  thread_local absl::BitGen random;
  std::string parent = current.parent;
  parent.replace(
      kSpanAt, kSpanSize,
      absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random, 1, UINT64_MAX), absl::kZeroPad16)));
  context.AddMetadata(kTraceParent, parent);
}

}  // namespace starratings::serving
