# One page of pictures, laid out from rows: its caller says what each picture
# shows, and this where it stands. Used by api and edge.

locals {
  columns = 24

  tops = [
    for index in range(length(var.rows)) :
    sum(concat([0], [for row in slice(var.rows, 0, index) : row.height]))
  ]

  widgets = flatten([
    for index, row in var.rows : concat(
      [
        for text in row.texts : {
          type       = "text"
          x          = 0
          y          = local.tops[index]
          width      = local.columns
          height     = row.height
          properties = { markdown = text }
        }
      ],
      [
        for column, graph in row.graphs : {
          type   = "metric"
          x      = column * floor(local.columns / length(row.graphs))
          y      = local.tops[index]
          width  = floor(local.columns / length(row.graphs))
          height = row.height
          properties = {
            title       = graph.title
            region      = var.region
            view        = "timeSeries"
            stacked     = false
            period      = 60
            metrics     = graph.metrics
            annotations = { horizontal = graph.line == null ? [] : [graph.line] }
          }
        }
      ],
    )
  ])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({ widgets = local.widgets })
}
