import cf from 'cloudfront';

// Where a read goes, in turn. cloudfront.tf writes the origins' ids here.
const READ_ORIGINS = ${read_origins};

// A connection that fails counts as 503 and a silence as 504, when they are listed. A Region's
// answers below 500 are answers: another Region's would be no better.
const FAILS_OVER_ON = [500, 502, 503, 504];

// A viewer would choose what X-Ray keeps by the first (the gateway takes up a trace and its
// Sampled=1), and could only guess at the second, which CloudFront sends.
const NOT_THE_VIEWERS = ['x-amzn-trace-id', 'x-origin-key'];

// Viewer request. A read tries both Regions within the request, so that a lost Region costs its
// readers nothing. A write goes where DNS leads, to one Region and no other: the behaviour's own
// origin.
function handler(event) {
  const request = event.request;
  NOT_THE_VIEWERS.forEach(function (name) {
    delete request.headers[name];
  });
  if (request.method === 'GET' || request.method === 'HEAD') {
    cf.createRequestOriginGroup({
      originIds: READ_ORIGINS.map(function (id) {
        return { originId: id };
      }),
      failoverCriteria: { statusCodes: FAILS_OVER_ON },
    });
  }
  return request;
}
