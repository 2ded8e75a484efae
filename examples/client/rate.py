import sys

import grpc
from starratings.rating.v1 import rating_pb2, rating_service_pb2, rating_service_pb2_grpc

# Prints what a round makes of an organisation: rate.py ADDRESS ROUND ORGANISATION
address, round_id, organisation = sys.argv[1:]
stub = rating_service_pb2_grpc.RatingServiceStub(grpc.insecure_channel(address))
reply = stub.RateOrganisation(rating_service_pb2.RateOrganisationRequest(
    round=round_id, organisation=organisation, trace=rating_pb2.TRACE_DETAIL_FULL))
for sentence in reply.rating.trace.sentences:
    print(sentence)
