CREATE TABLE "tcp_dashboard"."candle" (
	"instrument_id" integer,
	"seconds" integer,
	"ts" timestamp with time zone,
	"recorded_at" timestamp with time zone NOT NULL,
	"trade_count" bigint NOT NULL,
	"open" numeric NOT NULL,
	"high" numeric NOT NULL,
	"low" numeric NOT NULL,
	"close" numeric NOT NULL,
	"volume" numeric NOT NULL,
	"quote_volume" numeric NOT NULL,
	"buy_volume" numeric NOT NULL,
	"first_ts" timestamp with time zone NOT NULL,
	"last_ts" timestamp with time zone NOT NULL,
	"first_id" text collate "C" NOT NULL,
	"last_id" text collate "C" NOT NULL,
	CONSTRAINT "candle_pkey" PRIMARY KEY("instrument_id","seconds","ts")
) PARTITION BY RANGE ("ts");
--> statement-breakpoint
-- Every month of trades gets its candles.
DO $$
DECLARE
	month record;
	name text;
BEGIN
	FOR month IN SELECT * FROM tcp_dashboard.partition WHERE relation = 'trade' LOOP
		name := replace(month.name, 'trade_', 'candle_');
		EXECUTE format('CREATE TABLE tcp_dashboard.%I PARTITION OF tcp_dashboard.candle FOR VALUES FROM (%L) TO (%L)', name, month.starts_at, month.ends_at);
		INSERT INTO tcp_dashboard.partition VALUES (name, 'candle', month.starts_at, month.ends_at, month.made_at);
	END LOOP;
END $$;
--> statement-breakpoint
INSERT INTO tcp_dashboard.candle
SELECT instrument_id, seconds, date_bin(make_interval(secs => seconds), ts, 'epoch') AS opens, max(recorded_at), sum(fill_count),
	(array_agg(price ORDER BY ts, length(trade_id), trade_id))[1], max(price), min(price),
	(array_agg(price ORDER BY ts DESC, length(trade_id) DESC, trade_id DESC))[1], sum(size), sum(price * size),
	coalesce(sum(size) FILTER (WHERE side = 'b'), 0), min(ts), max(ts),
	(array_agg(trade_id ORDER BY ts, length(trade_id), trade_id))[1],
	(array_agg(trade_id ORDER BY ts DESC, length(trade_id) DESC, trade_id DESC))[1]
FROM tcp_dashboard.trade CROSS JOIN (VALUES (1), (60), (3600)) s (seconds)
GROUP BY instrument_id, seconds, opens;
