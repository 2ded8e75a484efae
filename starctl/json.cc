#include "starctl/json.h"

#include <cassert>

#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace starratings::starctl {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  assert(status.ok());  // Our messages have no Any of unknown type.
  static_cast<void>(status);
  return json;
}

std::string ToJson(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace starratings::starctl
