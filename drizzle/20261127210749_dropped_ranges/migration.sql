CREATE TABLE "tcp_dashboard"."dropped_range" (
	"instrument_id" integer,
	"data_type" text,
	"first" numeric,
	"last" numeric NOT NULL,
	"from_time" timestamp with time zone NOT NULL,
	"to_time" timestamp with time zone NOT NULL,
	CONSTRAINT "dropped_range_pkey" PRIMARY KEY("instrument_id","data_type","first")
);
