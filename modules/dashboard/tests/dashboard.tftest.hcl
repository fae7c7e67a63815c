mock_provider "aws" {}

variables {
  name   = "landing-test"
  region = "us-east-1"

  rows = [
    { height = 3, texts = ["# Read this"], graphs = [] },
    {
      height = 6
      texts  = []
      graphs = [
        { title = "one", metrics = [["N", "A", { stat = "Sum" }]], line = { value = 5, label = "limit" } },
        { title = "two", metrics = [["N", "B", "D", "d", { stat = "p99" }], [{ expression = "m1" }]], line = null },
      ]
    },
    { height = 4, texts = [], graphs = [{ title = "three", metrics = [["N", "C"]], line = null }] },
  ]
}

run "rows_stand_below_one_another_and_share_their_width" {
  assert {
    condition = [
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [widget.x, widget.y, widget.width, widget.height]
    ] == [[0, 0, 24, 3], [0, 3, 12, 6], [12, 3, 12, 6], [0, 9, 24, 4]]
    error_message = "no widget may stand over another, and a row must fill the page"
  }
}

run "a_line_is_drawn_where_there_is_one" {
  assert {
    condition = [
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      length(widget.properties.annotations.horizontal) if widget.type == "metric"
    ] == [1, 0, 0]
    error_message = "an objective must be drawn where one is given, and nowhere else"
  }
}

run "a_text_beside_graphs_is_refused" {
  command = plan

  variables {
    rows = [{ height = 3, texts = ["a"], graphs = [{ title = "one", metrics = [["N", "A"]], line = null }] }]
  }

  expect_failures = [var.rows]
}
